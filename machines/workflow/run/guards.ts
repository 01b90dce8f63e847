import type { NamedGuard } from "../chart/config.ts";
import { joinPath } from "../ids.ts";
import type { Turn } from "./turn.ts";
import { hasUndo } from "./undo.ts";

/** The guards of compiled charts, by name. They read the context and compute nothing, so they cannot fail. */

type GuardRule = (turn: Turn, params: NonNullable<NamedGuard["params"]>, frame: string) => boolean;

const guards: { readonly [name: string]: GuardRule } = {
  /** The step has chosen this target. */
  chose: (turn, params, frame) => {
    const plan = turn.step(String(params["step"]));
    return turn.activation(joinPath(frame, plan.path))?.choice === params["target"];
  },
  /** The failure goes to this error handler. */
  handles: (turn, params) => turn.context.handler?.index === params["handler"],
  /** Something is left to undo. */
  mustUndo: (turn) => hasUndo(turn),
  /** The run is being undone for this reason. */
  because: (turn, params) => turn.context.undoing?.because === params["reason"],
  /** The last checkpoint went on at this step. */
  resumesAt: (turn, params) => turn.context.checkpoint?.next === params["target"],
  /** The run may be cancelled: it is neither over nor being undone. */
  isUnderWay: (turn) => isUnderWay(turn),
  /** Whoever cancels the run wants what is done undone. */
  asksUndo: (turn) => asksUndo(turn),
  /** That too, and there is something to undo. */
  wantsUndo: (turn) => isUnderWay(turn) && asksUndo(turn) && hasUndo(turn),
};

function asksUndo({ event }: Turn): boolean {
  return (event as { compensate?: unknown }).compensate === true;
}

function isUnderWay({ context: { phase } }: Turn): boolean {
  return phase === "running" || phase === "paused" || phase === "compensation-failed";
}

export const guardNames: readonly string[] = Object.keys(guards);

export function allowsArrow(turn: Turn, guard: NamedGuard, frame: string): boolean {
  const rule = Object.hasOwn(guards, guard.type) ? guards[guard.type] : undefined;
  if (rule === undefined) throw new Error(`there is no guard ${guard.type}`);
  return rule(turn, guard.params ?? {}, frame);
}
