import { actionsDialect } from "./actions.ts";
import { branchesDialect } from "./branches.ts";
import type { Dialect } from "./dialect.ts";
import { machineDialect } from "./machine.ts";
import { phasesDialect } from "./phases.ts";
import { templatesDialect } from "./templates.ts";
import { triggersDialect } from "./triggers.ts";

/** The form of document 003: `steps`, each with a `type`. It is what every other form becomes. */
const stepsDialect: Dialect = {
  name: "steps",
  summary: "`steps`, each with an `id`, a `type` and what the type needs.",
  matches: (document) => document["steps"] !== undefined,
  read: (document) => ({ definitions: [{ document, path: [] }] }),
};

/** Forms of documents, in the order in which they are tried. */
export const dialects: readonly Dialect[] = [
  machineDialect,
  templatesDialect,
  actionsDialect,
  stepsDialect,
  phasesDialect,
  branchesDialect,
  triggersDialect,
];
