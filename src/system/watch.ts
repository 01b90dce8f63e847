import type { Failure } from "../../machines/failure.ts";
import type { Cell } from "./cell.ts";

/** The one notice that a monitor gives: this incarnation has ended. */
export interface Down {
  readonly path: string;
  readonly incarnation: number;
  /**
   * `stopped`: in good order. `crashed`: with `failure`. `gone`: it had ended before the monitor began.
   * `noconnection`: the session with its node ended, so its fate is not known.
   */
  readonly reason: "stopped" | "crashed" | "gone" | "noconnection";
  readonly failure?: Failure;
}

/** The monitors of one incarnation. Each hears exactly once. */
export class Watchers {
  readonly #waiting = new Set<(down: Down) => void>();

  /** Resolves with the notice; rejects with the signal's reason when the watcher loses interest. */
  wait(signal: AbortSignal | undefined): Promise<Down> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const hear = (down: Down): void => {
        signal?.removeEventListener("abort", leave);
        resolve(down);
      };
      const leave = (): void => {
        this.#waiting.delete(hear);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.add(hear);
    });
  }

  tell(down: Down): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const hear of waiting) hear(down);
  }
}

/** What a monitor hears that came after the end. */
export function goneNotice({ path, incarnation }: Cell): Down {
  return { path, incarnation, reason: "gone" };
}

export function announceStart({ core, path, incarnation, behaviour }: Cell): void {
  if (core.heard) core.publish("agent.started", path, { incarnation, definition: behaviour.name });
}

/** Tells everybody, once, that this incarnation has ended: the stream while it is heard, and the monitors. */
export function announceEnd(cell: Cell, failed: Failure | undefined, watchers: Watchers | undefined): void {
  const { core, incarnation } = cell;
  const reason = failed === undefined ? "stopped" : "crashed";
  if (core.heard)
    core.publish(`agent.${reason}`, cell.path, {
      incarnation,
      ...(failed === undefined ? {} : { code: failed.code, message: failed.message }),
    });
  watchers?.tell({
    path: cell.path,
    incarnation,
    reason,
    ...(failed === undefined ? {} : { failure: failed }),
  });
}
