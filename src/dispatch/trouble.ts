import {
  firstAttempt,
  nextLink,
  type RecoveryLink,
  type RecoveryPlan,
  type RecoveryProgress,
} from "../../machines/call/recovery.ts";
import type { Degradation, Failure, Outcome } from "../../machines/failure.ts";
import type { Recovery } from "../agent/define.ts";
import type { Timer } from "../ports/clock.ts";
import type { Cell } from "../system/cell.ts";

const noRecovery: RecoveryPlan = { attempts: 1, retryCodes: undefined, fallbacks: 0, otherAgents: 0 };

/** What the declared recovery of a capability allows a call; one for a fixed agent is never given to another. */
export function planOf(declared: Recovery | undefined, fixed: boolean): RecoveryPlan {
  if (declared === undefined) return noRecovery;
  return {
    attempts: declared.retry?.attempts ?? 1,
    retryCodes: declared.retry?.codes,
    fallbacks: declared.fallback?.length ?? 0,
    otherAgents: fixed ? 0 : (declared.anotherAgent ?? 0),
  };
}

/** What a call keeps once something has failed. A call that works carries none of it. */
export class Trouble {
  readonly #first: Failure;
  #progress: RecoveryProgress = firstAttempt;
  /** Agents that failed on what was asked, where another one may be tried. */
  #tried: Set<Cell> | undefined;
  /** How the answer, if there is one, falls short of what was asked. */
  standIn: Degradation | undefined;
  /** The wait before a retry. */
  wait: Timer | undefined;

  constructor(first: Failure) {
    this.#first = first;
  }

  /** Takes the next link of the recovery chain. */
  next(plan: RecoveryPlan, failed: { readonly failure: Failure; readonly started: boolean }): RecoveryLink {
    const { link, progress } = nextLink(plan, this.#progress, failed);
    this.#progress = progress;
    return link;
  }

  exclude(cell: Cell): void {
    (this.#tried ??= new Set()).add(cell);
  }

  excludes(cell: Cell): boolean {
    return this.#progress.otherAgents > 0 && this.#tried?.has(cell) === true;
  }

  /** The first failure is what the caller asked about; later ones say what recovery met. */
  blame(last: Failure): Failure {
    const first = this.#first;
    if (first === last) return last;
    const { code, message } = last;
    return { ...first, data: { ...first.data, attempts: this.#progress.attempts, last: { code, message } } };
  }

  /** An answer that came on another way says so. */
  mark(outcome: Outcome<unknown> & { ok: true }): Outcome<unknown> {
    const { standIn } = this;
    return standIn === undefined ? outcome : { ...outcome, degraded: [standIn, ...(outcome.degraded ?? [])] };
  }
}
