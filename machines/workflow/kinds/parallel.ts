import { z } from "zod";
import { failure, type Json } from "../../failure.ts";
import type { Branch, JoinRule, MergeRule, ParallelStep } from "../definition.ts";
import { completeFan, mergeWrites, type Writer } from "../run/merge.ts";
import { beginFan, listFailures } from "../run/fan.ts";
import { hasEntry, ledgerOf, readLedger } from "../run/ledger.ts";
import type { StepRun } from "../run/step-run.ts";
import type { Fan } from "../state.ts";
import { branchesSchema, joinSchema, mergeSchema, readShare } from "../schema/values.ts";
import { regionsOf, startsBySignal } from "./regions.ts";
import { type JsonRecord } from "../json.ts";
import { pick } from "../read/pick.ts";
import { checkAfter, readBranches } from "./branches.ts";
import type { FanRule, StepKind } from "./kind.ts";

function settings(run: StepRun): ParallelStep["parallel"] {
  return (run.plan.step as ParallelStep).parallel;
}

function needed(join: JoinRule, total: number): number {
  if (join === "all") return total;
  if (join === "any") return 1;
  return join === "settled" ? 0 : readShare(join.atLeast, total, Math.ceil);
}

function verdict(run: StepRun, fan: Fan): "wait" | "complete" | "fail" {
  const { join } = settings(run);
  if (fan.failed > fan.total - needed(join, fan.total)) return "fail";
  if (join === "any" && fan.completed > 0) return "complete";
  return fan.completed + fan.failed === fan.total ? "complete" : "wait";
}

/** Every branch that must end before this one starts, directly or not. */
function before(branches: readonly Branch[], branch: Branch, seen: Set<string> = new Set()): Set<string> {
  for (const id of branch.after ?? []) {
    const other = branches.find((candidate) => candidate.id === id);
    if (other === undefined || seen.has(id)) continue;
    seen.add(id);
    before(branches, other, seen);
  }
  return seen;
}

function ruleFor(run: StepRun, variable: string): MergeRule {
  const { merge } = settings(run);
  if (merge === undefined) return "fail";
  if (typeof merge === "string") return merge;
  return Object.hasOwn(merge, variable) ? (merge[variable] ?? "fail") : "fail";
}

/** What branches wrote, each with the branches it came after: those do not compete with it. */
function writersOf(run: StepRun, fan: Fan, only?: ReadonlySet<string>): Writer[] {
  const { branches } = settings(run);
  return branches.flatMap((branch, index) => {
    const end = readLedger(fan.ends, String(index));
    if (end?.ok !== true || (only !== undefined && !only.has(branch.id))) return [];
    return [{ id: branch.id, writes: end.writes, after: before(branches, branch) }];
  });
}

function mergeBranches(run: StepRun, fan: Fan, only?: ReadonlySet<string>): { readonly [variable: string]: Json } {
  const merge = settings(run).merge;
  const sourceOf = (variable: string): string =>
    typeof merge === "object" ? `parallel.merge.${variable}` : "parallel.merge";
  return mergeWrites(run, writersOf(run, fan, only), { ruleFor: (variable) => ruleFor(run, variable), sourceOf });
}

const fanRule: FanRule = {
  verdict,
  next(run, fan) {
    const { branches, concurrency } = settings(run);
    if (run.plan.lists[0]?.as !== "lane" || fan.running >= (concurrency ?? branches.length)) return undefined;
    const index = branches.findIndex(
      (branch, at) => !isStarted(run, fan, at) && (branch.after ?? []).every((id) => isEnded(branches, fan, id)),
    );
    return index === -1 ? undefined : index;
  },
  lane(run, index, fan) {
    const { branches } = settings(run);
    const branch = branches[index];
    const failed = (branch?.after ?? []).find((id) => !isEnded(branches, fan, id, true));
    if (failed !== undefined) {
      const message = `${branch?.id ?? index} was not started, because ${failed} failed`;
      return { blocked: failure("workflow/dependency-failed", message, { after: failed }) };
    }
    if (branch?.after === undefined || branch.after.length === 0) return {};
    return { seed: ledgerOf(mergeBranches(run, fan, before(branches, branch))) };
  },
  resultSource: (index) => `parallel.branches.${index}.result`,
  keeps: () => true,
  finish(run, fan) {
    const { branches } = settings(run);
    const results = branches.flatMap(({ id }, index) => {
      const end = readLedger(fan.ends, String(index));
      return end?.ok === true ? [[id, end.result] as const] : [];
    });
    completeFan(run, {
      output: Object.fromEntries(results),
      writes: mergeBranches(run, fan),
      failures: listFailures(run, fan),
    });
  },
};

function isStarted(run: StepRun, fan: Fan, index: number): boolean {
  const id = settings(run).branches[index]?.id ?? "";
  return hasEntry(fan.ends, String(index)) || run.turn.lane(`${run.path}/${id}`) !== undefined;
}

function isEnded(branches: readonly Branch[], fan: Fan, id: string, well = false): boolean {
  const end = readLedger(fan.ends, String(branches.findIndex((branch) => branch.id === id)));
  return end !== undefined && (!well || end.ok);
}

/** Most branches that are regions of a parallel state; more run by counters. Source: architecture.md (100 regions cost 33 ms). */
export const regionsMax = 32;

export function runsByCounters({ branches, concurrency }: ParallelStep["parallel"]): boolean {
  return (
    branches.length > regionsMax ||
    concurrency !== undefined ||
    branches.some(({ after }) => after !== undefined && after.length > 0)
  );
}

export const parallelKind: StepKind = {
  name: "parallel",
  summary:
    "Branches side by side, each with variables of its own that are merged at the end; `after` makes a branch wait for others.",
  shape: {
    parallel: z.strictObject({
      branches: branchesSchema,
      join: joinSchema.optional(),
      concurrency: z.int().min(1).optional(),
      merge: z.union([mergeSchema, z.record(z.string(), mergeSchema)]).optional(),
    }),
  },
  read(raw, place) {
    const parallel = raw["parallel"] as JsonRecord;
    const branches = readBranches(parallel["branches"] as readonly JsonRecord[], place);
    checkAfter(branches, place);
    return { parallel: { join: "all", ...pick(parallel, ["join", "concurrency", "merge"]), branches } };
  },
  waits: false,
  retries: false,
  describe(step) {
    const { branches, join, concurrency } = (step as ParallelStep).parallel;
    const limit = concurrency === undefined ? "" : `, ${concurrency} at a time`;
    const rule = typeof join === "string" ? join : `at least ${join.atLeast}`;
    return `${branches.length} branches${limit}${rule === "all" ? "" : `, ${rule}`}`;
  },
  lists: (step) => {
    const { parallel } = step as ParallelStep;
    const as = runsByCounters(parallel) ? "lane" : "branch";
    return parallel.branches.map((branch, index) => ({
      path: ["parallel", "branches", index, "steps"],
      steps: branch.steps,
      as,
      branch,
    }));
  },
  sources(step) {
    const { branches, merge } = (step as ParallelStep).parallel;
    const results = branches.flatMap(({ result }, index) =>
      result === undefined
        ? []
        : [{ path: ["parallel", "branches", index, "result"], value: result, as: "template" as const }],
    );
    return [...results, ...mergeSources(merge, ["parallel", "merge"])];
  },
  chart: (plan, inner) => (plan.lists[0]?.as === "branch" ? regionsOf(plan, inner) : {}),
  begin(run) {
    beginFan(run, settings(run).branches.length);
    if (startsBySignal(run.plan)) run.turn.raise(run.frame, { type: `${run.plan.id}.go` });
  },
  fan: fanRule,
};

/** Merge rules that are expressions. */
export function mergeSources(
  merge: MergeRule | { readonly [variable: string]: MergeRule } | undefined,
  path: readonly string[],
): { path: readonly string[]; value: string; as: "expression" }[] {
  const isComputed = (rule: MergeRule): boolean => rule !== "fail" && rule !== "list" && rule !== "last";
  if (merge === undefined) return [];
  if (typeof merge === "string") return isComputed(merge) ? [{ path, value: merge, as: "expression" }] : [];
  return Object.entries(merge).flatMap(([variable, rule]) =>
    isComputed(rule) ? [{ path: [...path, variable], value: rule, as: "expression" as const }] : [],
  );
}
