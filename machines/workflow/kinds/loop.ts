import { z } from "zod";
import { failure, type Json } from "../../failure.ts";
import type { LoopStep } from "../definition.ts";
import { emptyLedger, readLedger, writeLedger } from "../run/ledger.ts";
import type { StepRun } from "../run/step-run.ts";
import { expressionSchema, stepsSchema, templateSchema } from "../schema/values.ts";
import { bodyOf } from "./sequence.ts";
import { type JsonRecord } from "../json.ts";
import { pick } from "../read/pick.ts";
import { readList } from "./branches.ts";
import type { StepKind } from "./kind.ts";

/** Most rounds that a loop may ask for. */
export const loopRoundsMax = 1_000_000;
/** Rounds of a loop that does not say. */
export const loopRoundsDefault = 1_000;

function settings(run: StepRun): LoopStep["loop"] {
  return (run.plan.step as LoopStep).loop;
}

interface Rounds {
  readonly round: number;
  readonly items?: readonly Json[];
}

function roundsOf(run: StepRun): Rounds {
  return run.activation.data as unknown as Rounds;
}

function setItem(run: StepRun, { round, items }: Rounds): void {
  const { context } = run.turn;
  const item = items?.[round];
  const before = readLedger(context.scopes, run.path);
  context.scopes = writeLedger(context.scopes, run.path, {
    parent: run.scope,
    variables: emptyLedger<Json>(),
    through: true,
    index: round,
    ...(before?.last === undefined ? {} : { last: before.last }),
    ...(item === undefined ? {} : { item }),
  });
}

/** Starts the next round, or ends the step. */
function nextRound(run: StepRun): void {
  const { max, times } = settings(run);
  const rounds = roundsOf(run);
  setItem(run, rounds);
  const exhausted = rounds.round >= (rounds.items?.length ?? times ?? Number.POSITIVE_INFINITY);
  if (exhausted || !run.test("loop.while", true, { scope: run.path })) {
    run.complete(resultOf(run));
    return;
  }
  if (rounds.round >= max) {
    run.fail(failure("workflow/too-many-rounds", `${run.path} did not end within ${max} rounds`, { max }));
    return;
  }
  run.turn.raise(run.frame, { type: `${run.plan.id}.round` });
}

function resultOf(run: StepRun): Json {
  const last = readLedger(run.turn.context.scopes, run.path)?.last ?? null;
  return run.source("loop.result") === undefined
    ? last
    : (run.evaluate("loop.result", { scope: run.path, output: last }) ?? null);
}

export const loopKind: StepKind = {
  name: "loop",
  summary: "The same steps again and again: while or until something holds, or for each item in order.",
  shape: {
    loop: z.strictObject({
      steps: stepsSchema,
      while: expressionSchema.optional(),
      until: expressionSchema.optional(),
      times: z.int().min(0).max(loopRoundsMax).optional(),
      over: templateSchema.optional(),
      max: z.int().min(1).max(loopRoundsMax).optional(),
      result: templateSchema.optional(),
    }),
  },
  read(raw, { reader, path }) {
    const loop = raw["loop"] as JsonRecord;
    const ways = ["while", "until", "times", "over"].filter((way) => loop[way] !== undefined);
    if (ways.length === 0)
      reader.problems.error(
        "definition/missing-field",
        [...path, "loop"],
        "says not how long; add while, until, times or over",
      );
    const steps = readList(loop["steps"], { reader, path: [...path, "loop", "steps"] });
    const most = typeof loop["times"] === "number" ? Math.max(loop["times"], loopRoundsDefault) : loopRoundsDefault;
    return { loop: { max: most, ...pick(loop, ["while", "until", "times", "over", "max", "result"]), steps } };
  },
  waits: false,
  retries: false,
  describe(step) {
    const { while: when, until, over, times } = (step as LoopStep).loop;
    if (over !== undefined) return `for each of ${typeof over === "string" ? over : "a list"}, one after the other`;
    if (when !== undefined) return `while ${when}`;
    return until === undefined ? `${times ?? 1} times` : `until ${until}`;
  },
  lists: (step) => [{ path: ["loop", "steps"], steps: (step as LoopStep).loop.steps, as: "body" }],
  sources(step) {
    const { loop } = step as LoopStep;
    const all = [
      { path: ["loop", "while"], value: loop.while, as: "expression" as const },
      { path: ["loop", "until"], value: loop.until, as: "expression" as const },
      { path: ["loop", "over"], value: loop.over, as: "template" as const },
      { path: ["loop", "result"], value: loop.result, as: "template" as const },
    ];
    return all.filter(({ value }) => value !== undefined);
  },
  chart: (plan, inner) => bodyOf(plan, inner, `${plan.id}.round`),
  begin(run) {
    const items = run.source("loop.over") === undefined ? undefined : run.evaluate("loop.over");
    if (items !== undefined && !Array.isArray(items)) {
      const message = `${run.path}: loop.over must be a list, and got ${JSON.stringify(items).slice(0, 60)}`;
      run.fail(failure("workflow/expression", message, { path: run.path }));
      return;
    }
    if (run.source("loop.over") !== undefined && items === undefined) {
      run.fail(
        failure("workflow/expression", `${run.path}: loop.over must be a list, and names nothing`, { path: run.path }),
      );
      return;
    }
    run.keep(items === undefined ? { round: 0 } : { round: 0, items: items as readonly Json[] });
    nextRound(run);
  },
  bodyDone(run) {
    const rounds = roundsOf(run);
    run.keep({ ...rounds, round: rounds.round + 1 });
    if (run.test("loop.until", false, { scope: run.path })) {
      run.complete(resultOf(run));
      return;
    }
    nextRound(run);
  },
};
