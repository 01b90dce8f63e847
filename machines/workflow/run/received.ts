import type { RunEventType } from "../events.ts";

/** The events that a run's machine takes to `receive`; `cancel` and `retry` are arrows of their own. */
export const receivedTypes = [
  "task.completed",
  "task.failed",
  "child.completed",
  "child.failed",
  "timer.fired",
  "signal",
  "pause",
  "resume",
  "patch",
] as const satisfies readonly RunEventType[];

/** Events that wait while a run is paused. */
export const heldTypes: ReadonlySet<RunEventType> = new Set([
  "task.completed",
  "task.failed",
  "child.completed",
  "child.failed",
  "timer.fired",
  "signal",
]);
