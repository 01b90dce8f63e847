import { branchKind } from "./branch.ts";
import { eventKind } from "./event.ts";
import type { KindTable, StepKind } from "./kind.ts";
import { loopKind } from "./loop.ts";
import { mapKind } from "./map.ts";
import { parallelKind } from "./parallel.ts";
import { sequenceKind } from "./sequence.ts";
import { subworkflowKind } from "./subworkflow.ts";
import { taskKind } from "./task.ts";
import { waitKind } from "./wait.ts";

const builtin: readonly StepKind[] = [
  taskKind,
  subworkflowKind,
  parallelKind,
  branchKind,
  waitKind,
  eventKind,
  mapKind,
  loopKind,
  sequenceKind,
];

/** The table of step kinds: the built-in ones, and those given. A given kind may not take a name that is taken. */
export function createKinds(more: readonly StepKind[] = []): KindTable {
  const table = new Map<string, StepKind>();
  for (const kind of [...builtin, ...more]) {
    if (table.has(kind.name)) throw new Error(`there is a step kind ${kind.name} already; give yours another name`);
    table.set(kind.name, kind);
  }
  return table;
}

export const builtinKinds: KindTable = createKinds();
