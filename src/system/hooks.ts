import type { Clock } from "../ports/clock.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Cell } from "./cell.ts";
import { describeThrown } from "./verdicts.ts";

/** A life-cycle hook that may take only so long. */
interface TimedHook {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly life: AbortController;
  readonly tooLong: string;
  run(signal: AbortSignal): unknown;
}

/** Runs a hook; rejects when the limit passes or the life ends first. The signal tells the hook to give up. */
async function runHook(hook: TimedHook): Promise<unknown> {
  const { life } = hook;
  const limit = hook.clock.after(Math.max(0, hook.limitMs), () => life.abort(new Error(hook.tooLong)));
  try {
    return await Promise.race([hook.run(life.signal), rejectOnAbort(life.signal)]);
  } catch (thrown) {
    // A hook that obeys rejects with an error of its own; why it was told to give up says more.
    throw life.signal.aborted ? life.signal.reason : thrown;
  } finally {
    limit.cancel();
  }
}

/** Runs the start hook within its limit and resolves with what it returned, or with why it failed. */
export async function runStartHook(
  cell: Cell,
  start: NonNullable<Behaviour["start"]>,
  life: AbortController,
): Promise<{ readonly given?: unknown; readonly cause?: string }> {
  const limitMs = cell.behaviour.startTimeoutMs;
  const { clock } = cell.core.ports;
  const tooLong = `start took longer than ${limitMs} ms`;
  try {
    return { given: await runHook({ clock, limitMs, life, tooLong, run: (signal) => start(cell, signal) }) };
  } catch (thrown) {
    return { cause: describeThrown(thrown) };
  }
}

/** Runs the stop hook within its limit. A stop hook that fails is logged: the agent ends all the same. */
export async function runStopHook(cell: Cell, stop: NonNullable<Behaviour["stop"]>, limitMs: number): Promise<void> {
  const { clock, log } = cell.core.ports;
  const life = new AbortController();
  try {
    await runHook({ clock, limitMs, life, tooLong: "the shutdown time is over", run: (signal) => stop(cell, signal) });
  } catch (thrown) {
    log.write("warn", `stop hook of agent ${cell.path} failed: ${describeThrown(thrown)}`, { agent: cell.path });
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => reject(signal.reason as Error);
    if (signal.aborted) refuse();
    else signal.addEventListener("abort", refuse, { once: true });
  });
}

/** Waits until woken, or until the limit passes. */
export function waitAtMost(clock: Clock, limitMs: number, onSleep: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const limit = clock.after(Math.max(0, limitMs), resolve);
    onSleep(() => {
      limit.cancel();
      resolve();
    });
  });
}
