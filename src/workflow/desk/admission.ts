import type { Definition } from "../../../machines/workflow/definition.ts";
import { Gate, type Limits } from "./task-limits.ts";

interface Waiting {
  readonly id: string;
  readonly key: string;
  readonly isChild: boolean;
  readonly lane: number;
  readonly admit: () => void;
}

/**
 * Lets runs begin within the limits of their definition and of the engine; the others wait, durably, in order of
 * priority and of arrival. A child run needs no place in the engine: its parent has one, and would wait for ever.
 */
export class Admission {
  readonly #engine: Gate;
  readonly #gates = new Map<string, Gate>();
  readonly #places = new Map<string, { readonly key: string; readonly isChild: boolean }>();
  #waiting: Waiting[] = [];
  readonly #now: () => number;
  readonly #after: (delayMs: number, fire: () => void) => void;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(options: {
    readonly limits: Limits;
    readonly now: () => number;
    readonly after: (delayMs: number, fire: () => void) => void;
  }) {
    this.#engine = new Gate(options.limits);
    this.#now = options.now;
    this.#after = options.after;
  }

  /** Runs that wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }

  #gateOf(definition: Pick<Definition, "key" | "concurrency" | "rate">): Gate {
    let gate = this.#gates.get(definition.key);
    if (gate === undefined) {
      const { concurrency, rate } = definition;
      gate = new Gate({
        ...(concurrency === undefined ? {} : { atOnce: concurrency }),
        ...(rate === undefined ? {} : { rate: { count: rate.runs, perMs: rate.perMs } }),
      });
      this.#gates.set(definition.key, gate);
    }
    return gate;
  }

  #opensAt(key: string, isChild: boolean, now: number): number {
    const own = this.#gates.get(key)?.opensAt(now) ?? now;
    return isChild ? own : Math.max(own, this.#engine.opensAt(now));
  }

  /** Takes a place for a run; false when it has to wait. A run that goes on after a restart has its place already. */
  enter(
    definition: Pick<Definition, "key" | "concurrency" | "rate">,
    run: { readonly id: string; readonly isChild: boolean; readonly goesOn?: boolean },
  ): boolean {
    if (this.#places.has(run.id)) return true;
    const now = this.#now();
    const gate = this.#gateOf(definition);
    if (run.goesOn !== true && this.#opensAt(definition.key, run.isChild, now) > now) return false;
    gate.enter(now);
    if (!run.isChild) this.#engine.enter(now);
    this.#places.set(run.id, { key: definition.key, isChild: run.isChild });
    return true;
  }

  /** Calls `admit` once, when the run may begin; its place is taken then. */
  wait(definition: Pick<Definition, "key" | "concurrency" | "rate">, run: Omit<Waiting, "key">): void {
    this.#gateOf(definition);
    const after = this.#waiting.findIndex(({ lane }) => lane > run.lane);
    this.#waiting.splice(after === -1 ? this.#waiting.length : after, 0, { ...run, key: definition.key });
    this.#pump();
  }

  /** The run has ended, or is no more. */
  leave(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) {
      this.#waiting = this.#waiting.filter((each) => each.id !== id);
      return;
    }
    this.#places.delete(id);
    this.#gates.get(place.key)?.leave();
    if (!place.isChild) this.#engine.leave();
    this.#pump();
  }

  #pump(): void {
    if (this.#waiting.length === 0) return;
    const now = this.#now();
    let soonest = Number.POSITIVE_INFINITY;
    const admitted: Waiting[] = [];
    for (const run of this.#waiting) {
      const { id, key, isChild } = run;
      const opensAt = this.#opensAt(key, isChild, now);
      if (opensAt > now) {
        soonest = Math.min(soonest, opensAt);
        continue;
      }
      this.#gates.get(key)?.enter(now);
      if (!isChild) this.#engine.enter(now);
      this.#places.set(id, { key, isChild });
      admitted.push(run);
    }
    if (admitted.length > 0) this.#waiting = this.#waiting.filter((run) => !admitted.includes(run));
    this.#wakeBy(soonest);
    for (const { admit } of admitted) admit();
  }

  #wakeBy(at: number): void {
    if (at === Number.POSITIVE_INFINITY || at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#after(Math.max(0, at - this.#now()), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }
}
