import { failure as newFailure, type Failure } from "../../failure.ts";
import type { FanRule, LaneScope } from "../kinds/kind.ts";
import type { ListPlan } from "../plan.ts";
import type { Fan, LaneEnd, Scope } from "../state.ts";
import { joinPath } from "../ids.ts";
import { cancelBelow, leaveStep } from "./leave.ts";
import { dropEntry, emptyLedger, hasEntry, ledgerRecord, readLedger, writeLedger } from "./ledger.ts";
import { failureOf } from "./problem.ts";
import { StepRun } from "./step-run.ts";
import type { Turn } from "./turn.ts";

/** Branches and items: starting them within the limit, counting their ends, and asking the kind what follows. */

function ruleOf(run: StepRun): FanRule {
  const { fan } = run.plan.kind;
  if (fan === undefined) throw new Error(`steps of kind ${run.plan.kind.name} have no branches`);
  return fan;
}

export function readFan(run: StepRun): Fan | undefined {
  return readLedger(run.turn.context.fans, run.path);
}

function writeFan(run: StepRun, fan: Fan): Fan {
  run.turn.context.fans = writeLedger(run.turn.context.fans, run.path, fan);
  run.turn.touched = true;
  return fan;
}

function openFan(run: StepRun, total: number): Fan {
  run.update({ waits: "steps" });
  return writeFan(run, { total, started: 0, running: 0, completed: 0, failed: 0, ends: emptyLedger() });
}

/** Opens the scope of one branch or item; its lane is started by the chart or by `fillFan`. */
export function openScope(run: StepRun, path: string, scope: LaneScope): void {
  const { context } = run.turn;
  const opened: Scope = { parent: run.scope, variables: emptyLedger(), ...scope };
  context.scopes = writeLedger(context.scopes, path, opened);
  const fan = readFan(run);
  if (fan !== undefined) writeFan(run, { ...fan, started: fan.started + 1, running: fan.running + 1 });
}

/** Where the lane of one branch or item lies. */
export function lanePath(run: StepRun, index: number): string {
  const branch = run.plan.lists[index]?.branch;
  return branch === undefined ? `${run.path}[${index}]` : joinPath(run.path, branch.id);
}

function startLane(run: StepRun, index: number, scope: LaneScope): void {
  const { turn } = run;
  const frame = lanePath(run, index);
  openScope(run, frame, scope);
  turn.context.lanes = writeLedger(turn.context.lanes, frame, {
    value: {},
    step: run.plan.id,
    frame: run.frame,
    index,
  });
  turn.startLane(frame);
}

function isOver(run: StepRun): boolean {
  return run.turn.activation(run.path)?.waits !== "steps";
}

/**
 * Starts lanes as long as the kind names one. A lane may end while it is being started: the loop sees that by the
 * counts, so ten thousand lanes that end at once need no deeper stack than one.
 */
function fillFan(run: StepRun): void {
  const rule = ruleOf(run);
  const { filling } = run.turn;
  if (filling.has(run.path)) return;
  filling.add(run.path);
  for (;;) {
    const fan = isOver(run) ? undefined : readFan(run);
    const index = fan === undefined ? undefined : rule.next(run, fan);
    if (fan === undefined || index === undefined) break;
    run.attempt(() => startOrBlock(run, index, fan));
  }
  filling.delete(run.path);
}

function startOrBlock(run: StepRun, index: number, fan: Fan): void {
  const lane = ruleOf(run).lane(run, index, fan);
  if (!("blocked" in lane)) {
    startLane(run, index, lane);
    return;
  }
  writeFan(run, { ...fan, started: fan.started + 1, running: fan.running + 1 });
  endLane(run, index, { ok: false, failure: lane.blocked });
}

/** The step that has a list, in the frame that the list's steps run in. */
export function ownerOf(turn: Turn, list: ListPlan, frame: string): StepRun {
  const { owner } = list;
  if (owner === undefined) throw new Error("the outermost list has no owner");
  const lane = list.as === "lane" ? turn.lane(frame) : undefined;
  return new StepRun(turn, owner, lane === undefined ? frame : lane.frame);
}

function computeResult(run: StepRun, index: number, scope: string): LaneEnd {
  const rule = ruleOf(run);
  const inner = readLedger(run.turn.context.scopes, scope);
  const name = rule.resultSource(index);
  const result = run.source(name) === undefined ? (inner?.last ?? null) : (run.evaluate(name, { scope }) ?? null);
  const writes = Object.entries(inner === undefined ? {} : ledgerRecord(inner.variables)).filter(([variable]) =>
    rule.keeps(run, variable),
  );
  return { ok: true, result, writes: Object.fromEntries(writes) };
}

/** A branch or item came to the end of its list. */
export function laneDone(run: StepRun, index: number, scope: string): void {
  let end: LaneEnd;
  try {
    end = computeResult(run, index, scope);
  } catch (error) {
    end = { ok: false, failure: failureOf(error, scope) };
  }
  endLane(run, index, end);
}

/** Counts the end of a branch or item; `failedPath` is the step of its list that failed, where one did. */
export function endLane(run: StepRun, index: number, end: LaneEnd, failedPath?: string): void {
  const fan = readFan(run);
  if (fan === undefined || isOver(run) || hasEntry(fan.ends, String(index))) return;
  const after = writeFan(run, {
    ...fan,
    running: fan.running - 1,
    completed: fan.completed + (end.ok ? 1 : 0),
    failed: fan.failed + (end.ok ? 0 : 1),
    ends: writeLedger(fan.ends, String(index), end),
  });
  closeLane(run, index, failedPath);
  judgeFan(run, after);
}

/** A lane that ended well has nothing open; one that failed has at most the step that failed it, and what is inside. */
function closeLane(run: StepRun, index: number, failedPath: string | undefined): void {
  const { turn } = run;
  const path = lanePath(run, index);
  if (turn.lane(path) === undefined) {
    turn.context.scopes = dropEntry(turn.context.scopes, path);
    return;
  }
  const failed = failedPath === undefined ? undefined : turn.activation(failedPath);
  if (failedPath !== undefined && failed !== undefined) {
    if (turn.step(failed.step).lists.length > 0) cancelBelow(turn, failedPath);
    leaveStep(turn, failedPath);
  }
  turn.dropLane(path);
}

function judgeFan(run: StepRun, fan: Fan): void {
  const rule = ruleOf(run);
  const verdict = rule.verdict(run, fan);
  if (verdict === "complete") run.attempt(() => rule.finish(run, fan));
  else if (verdict === "fail") run.fail(fanFailure(run, fan));
  else fillFan(run);
}

/** Opens the fan and starts what may start; with nothing to run, the step ends at once. */
export function beginFan(run: StepRun, total: number): void {
  const fan = openFan(run, total);
  if (total === 0) judgeFan(run, fan);
  else fillFan(run);
}

/** The one failure where there is one; else a failure that lists them all. */
function fanFailure(run: StepRun, fan: Fan): Failure {
  const ends = failedLanes(run, fan);
  const [first] = ends;
  if (first !== undefined && ends.length === 1)
    return { ...first.failure, data: { ...first.failure.data, branch: first.branch } };
  const failures = listFailures(run, fan);
  const codes = failures.slice(0, 5).map(({ branch, code }) => `${branch}: ${code}`);
  const message = `${fan.failed} of ${fan.total} failed (${codes.join("; ")})`;
  return newFailure("workflow/too-few-branches", message, { failures });
}

/** Most failures that are listed one by one. */
const failuresListedMax = 100;

function failedLanes(run: StepRun, fan: Fan): { branch: string | number; failure: Failure }[] {
  const found: { branch: string | number; failure: Failure }[] = [];
  if (fan.failed === 0) return found;
  for (let at = 0; at < fan.total && found.length < failuresListedMax; at += 1) {
    const end = readLedger(fan.ends, String(at));
    if (end?.ok === false) found.push({ branch: run.plan.lists[at]?.branch?.id ?? at, failure: end.failure });
  }
  return found;
}

/** `$.failures`: which branches or items failed, and why. */
export function listFailures(run: StepRun, fan: Fan): { branch: string | number; code: string; message: string }[] {
  return failedLanes(run, fan).map(({ branch, failure: { code, message } }) => ({ branch, code, message }));
}

/** One list of steps in one frame has failed as a whole: what that means for the step it belongs to, or the run. */
export function failList(turn: Turn, at: { list: ListPlan; frame: string; path: string }, failure: Failure): void {
  const { list, frame, path } = at;
  if (list.as === "root") {
    turn.failRun(failure, path);
    return;
  }
  const owner = ownerOf(turn, list, frame);
  if (list.as === "body") {
    owner.fail(failure);
    return;
  }
  if (list.as === "branch" && list.branch !== undefined)
    turn.raise(frame, { type: branchEnded(owner.plan.id, list.branch.id) });
  const index = list.as === "lane" ? (turn.lane(frame)?.index ?? list.index) : list.index;
  endLane(owner, index, { ok: false, failure }, path);
}

/** The event that ends one branch whose steps failed. */
export function branchEnded(step: string, branch: string): string {
  return `${step}.${branch}.ended`;
}
