import type { Json } from "../../failure.ts";
import { isJsonRecord } from "../json.ts";
import type { Dialect } from "./dialect.ts";

/** The user's document 002: a definition that is only `branches`, each with its steps. */
export const branchesDialect: Dialect = {
  name: "branches",
  summary: "Only `branches`, each with `steps`: one parallel step; what its branches give is the variable `branches`.",
  matches: (document) => document["branches"] !== undefined && document["steps"] === undefined,
  read(document, { origins, problems }) {
    const { branches, ...rest } = document;
    if (!Array.isArray(branches) || branches.length === 0) {
      problems.error("definition/no-steps", ["branches"], "has no branches; give it at least one, with steps");
      return { definitions: [] };
    }
    (branches as readonly Json[]).forEach((branch, at) => {
      if (!isJsonRecord(branch)) return;
      origins.set(branch, ["branches", at]);
    });
    const step = {
      id: "branches",
      name: "Branches",
      type: "parallel",
      parallel: { branches: branches as readonly Json[] },
      output: { branches: "$.output" },
    };
    origins.set(step, []);
    return { definitions: [{ document: { ...rest, steps: [step] }, path: [] }] };
  },
};
