import { suggestName } from "../nearest.ts";
import { SyntaxProblem } from "./syntax.ts";

/** What `$` stands for while one expression is computed. Everything it gives is JSON, or undefined where nothing is. */
export interface Root {
  /** `$.variables.name`, without building an object of all variables. */
  variable(name: string): unknown;
  /** `$.steps.id`. */
  step(id: string): unknown;
  /** Any other name of `rootNames`, and those two as a whole. */
  read(name: RootName): unknown;
  /** Epoch milliseconds of the event in hand. */
  now(): number;
  /** A fresh number within this run, for `uuid()`. */
  nextSerial(): number;
  readonly executionId: string;
}

/** The names under `$`, each with what it is; the guide's table is written from this one. */
export const rootNames = {
  input: "the run's input",
  variables: "what steps have written with their output mapping",
  output: "the output of this step: in `output`, `schema`, `next`, `compensate` and `match`",
  error: "the failure that was handled last: code, message, data, step",
  steps: "what each step gave: status, output, error, attempts",
  item: "the item in hand: in `map` and in `loop` with `over`",
  index: "its position from 0; the round of a loop",
  failures: "the branches or items that failed: in the output mapping of `parallel` and `map`",
  values: "the values to merge: in a merge rule",
  workflowName: "the name of this definition",
  executionId: "the id of this run",
  stepId: "the id of this step",
  startedAt: "when the run started, epoch milliseconds",
  env: "the environment values that the definition names in `env`",
} as const;

export type RootName = keyof typeof rootNames;

export function asRootName(name: string): RootName {
  if (Object.hasOwn(rootNames, name)) return name as RootName;
  throw new SyntaxProblem(`$.${name} is not there; ${suggestName(name, Object.keys(rootNames), "under $")}`);
}
