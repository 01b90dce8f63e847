import { failure as newFailure, type Json } from "../../failure.ts";
import type { MergeRule } from "../definition.ts";
import { StepProblem } from "./problem.ts";
import { writeVariables } from "./variables.ts";
import type { StepRun } from "./step-run.ts";

/** What one branch or item wrote, and the branches that it came after. */
export interface Writer {
  readonly id: string;
  readonly writes: { readonly [variable: string]: Json };
  readonly after: ReadonlySet<string>;
}

interface MergeRules {
  readonly ruleFor: (variable: string) => MergeRule;
  /** The source of a rule that is an expression of `$.values`. */
  readonly sourceOf: (variable: string) => string;
}

/** One value for each variable that was written, by its rule; a branch that came after another overrides it. */
export function mergeWrites(
  run: StepRun,
  writers: readonly Writer[],
  rules: MergeRules,
): { readonly [variable: string]: Json } {
  const variables = new Set(writers.flatMap(({ writes }) => Object.keys(writes)));
  const merged = [...variables].map((variable) => {
    const all = writers.filter(({ writes }) => Object.hasOwn(writes, variable));
    const last = all.filter(({ id }) => !all.some((other) => other.after.has(id)));
    return [variable, mergeOne(run, { variable, writers: last }, rules)] as const;
  });
  return Object.fromEntries(merged);
}

function mergeOne(run: StepRun, of: { variable: string; writers: readonly Writer[] }, rules: MergeRules): Json {
  const { variable, writers } = of;
  const values = writers.map(({ writes }) => writes[variable] ?? null);
  const rule = rules.ruleFor(variable);
  if (rule === "list") return values;
  if (rule !== "last" && rule !== "fail") return run.evaluate(rules.sourceOf(variable), { values }) ?? null;
  if (values.length > 1 && rule === "fail")
    throw conflict(
      run,
      variable,
      writers.map(({ id }) => id),
    );
  return values.at(-1) ?? null;
}

function conflict(run: StepRun, variable: string, branches: readonly string[]): StepProblem {
  const message = `${run.path}: ${branches.join(", ")} wrote $.variables.${variable}, and no merge rule says which value counts`;
  return new StepProblem(newFailure("workflow/write-conflict", message, { variable, branches }));
}

interface FanResult {
  readonly output: Json;
  readonly writes: { readonly [variable: string]: Json };
  readonly failures: Json;
}

/** Writes what branches or items gave, and completes their step. */
export function completeFan(run: StepRun, { output, writes, failures }: FanResult): void {
  writeVariables(run, Object.entries(writes));
  run.complete(output, undefined, failures);
}
