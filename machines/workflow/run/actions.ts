import type { NamedAction } from "../chart/config.ts";
import type { RunEvent } from "../events.ts";
import { beginStep } from "./begin.ts";
import { laneDone, openScope, ownerOf } from "./fan.ts";
import { joinPath } from "../ids.ts";
import { leaveStep } from "./leave.ts";
import {
  cancelRun,
  concludeRun,
  endCancelled,
  endCompleted,
  endFailed,
  failHere,
  leaveHandler,
  openRun,
  resumeRun,
  startHandler,
} from "./life.ts";
import { receiveEvent } from "./receive.ts";
import { StepRun } from "./step-run.ts";
import type { ActionPlace, Turn } from "./turn.ts";
import { startUndoing, undoPath } from "./undo.ts";

/**
 * The actions of compiled charts, by name: what entering, leaving and following arrows does to the context. No name is
 * that of an effect, since XState keeps both in one table.
 */

type Params = NonNullable<NamedAction["params"]>;

type ActionRule = (turn: Turn, params: Params, place: ActionPlace) => void;

function stepOf(turn: Turn, params: Params): string {
  const id = params["step"];
  if (typeof id !== "string") throw new Error("the action needs a step");
  return turn.step(id).id;
}

function runOf(turn: Turn, params: Params, place: ActionPlace): StepRun {
  return new StepRun(turn, turn.step(stepOf(turn, params)), place.frame);
}

function indexOf(params: Params): number {
  return Number(params["branch"]);
}

const actions: { readonly [name: string]: ActionRule } = {
  /** Entry of the run: its timers and first variables. */
  open: (turn) => openRun(turn),
  /** An event from outside: finds the visit that it is for. */
  receive: (turn, _params, place) => receiveEvent(turn, place.event as RunEvent),
  /** Entry and exit of each step. */
  begin: (turn, params, place) => beginStep(turn, turn.step(stepOf(turn, params)), place.frame),
  leave: (turn, params, place) => leaveStep(turn, joinPath(place.frame, turn.step(stepOf(turn, params)).path)),
  /** Entry of a region, and of its end. */
  openBranch: (turn, params, place) => {
    const run = runOf(turn, params, place);
    const branch = run.plan.lists[indexOf(params)]?.branch;
    if (branch !== undefined) openScope(run, joinPath(run.path, branch.id), {});
  },
  endBranch: (turn, params, place) => {
    const run = runOf(turn, params, place);
    const branch = run.plan.lists[indexOf(params)]?.branch;
    if (branch !== undefined) laneDone(run, indexOf(params), joinPath(run.path, branch.id));
  },
  /** A lane's machine is at its end. */
  endLane: (turn, _params, place) => {
    const lane = turn.lane(place.frame);
    if (lane === undefined) return;
    const list = turn.step(lane.step).lists[turn.step(lane.step).lists.length === 1 ? 0 : lane.index];
    if (list !== undefined) laneDone(ownerOf(turn, list, place.frame), lane.index, place.frame);
  },
  /** The body of a step is at its end. */
  again: (turn, params, place) => {
    const run = runOf(turn, params, place);
    run.attempt(() => run.plan.kind.bodyDone?.(run));
  },
  /** The definition leads to $fail. */
  failHere: (turn, params, place) => failHere(turn, turn.step(stepOf(turn, params)), place.frame),
  /** The ends of a run, and what comes before them. */
  conclude: (turn) => concludeRun(turn),
  endCompleted: (turn) => endCompleted(turn),
  handle: (turn) => {
    // A rollback may have been under way.
    turn.context.phase = "running";
    startHandler(turn);
  },
  leaveHandler: (turn) => leaveHandler(turn),
  undo: (turn) => startUndoing(turn),
  leaveUndo: (turn) => leaveStep(turn, undoPath),
  endFailed: (turn) => endFailed(turn),
  cancel: (turn, _params, place) => cancelRun(turn, place.event as RunEvent),
  endCancelled: (turn) => endCancelled(turn),
  resume: (turn) => resumeRun(turn),
};

export const actionNames: readonly string[] = Object.keys(actions);

/** Performs one action; after the outermost one, lanes that have events waiting are run. */
export function performAction(turn: Turn, action: NamedAction, place: ActionPlace): void {
  const rule = Object.hasOwn(actions, action.type) ? actions[action.type] : undefined;
  if (rule === undefined) throw new Error(`there is no action ${action.type}`);
  turn.depth += 1;
  rule(turn, action.params ?? {}, place);
  turn.depth -= 1;
  if (turn.depth === 0) turn.drain();
}
