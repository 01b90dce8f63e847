import type { Json } from "../../machines/failure.ts";
import { TroupeError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Observe } from "../ports/observe.ts";
import type { Store } from "../ports/store.ts";

/** What a decision needs of a store: an append-only log. */
export type DecisionJournal = Pick<Store, "append">;

/** Where a decision's facts go. */
interface AnnouncerPorts {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly journal?: DecisionJournal | undefined;
}

/** What a decision tells listeners and its journal. */
export type DecisionFact =
  | "decision.opened"
  | "decision.round"
  | "decision.opinion"
  | "decision.ballot"
  | "decision.evidence"
  | "decision.closed";

/** The journal's log of one decision. */
export function decisionLog(decisionId: string): string {
  return `decision/${decisionId}`;
}

/** Plain data as JSON; absent members stay absent. */
export function toJson(value: object): { readonly [key: string]: Json } {
  return value as { readonly [key: string]: Json };
}

/** Tells what happens in one decision: to listeners when there are any, and to the journal when there is one. */
export class Announcer {
  readonly #decisionId: string;
  readonly #ports: AnnouncerPorts;
  #written: Promise<void> = Promise.resolve();
  #problem: string | undefined;
  #held: (() => void)[] | undefined;

  constructor(decisionId: string, ports: AnnouncerPorts) {
    this.#decisionId = decisionId;
    this.#ports = ports;
  }

  /**
   * Journals the opening before any voter is asked. Errors: throws `usage/invalid-options` when the journal already
   * holds a decision of this id: a second vote under one id would void honest ballots.
   */
  async open(build: () => object): Promise<void> {
    const { journal, clock } = this.#ports;
    if (journal !== undefined) {
      const log = decisionLog(this.#decisionId);
      const result = await journal.append(log, [{ type: "decision.opened", at: clock.now(), ...toJson(build()) }], 0);
      if (!result.ok) {
        throw new TroupeError(
          "usage/invalid-options",
          `decisionId: the journal already holds ${log}; leave decisionId out or choose another`,
        );
      }
    }
    this.#publish("decision.opened", undefined, build);
  }

  /** Keeps opinions, ballots and evidence back until `release`, so that no voter learns of another's ballot early. */
  hold(): void {
    this.#held = [];
  }

  /** Tells what was kept back, in its order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const tell of held) tell();
  }

  /** `build` runs only when somebody listens or a journal keeps it. */
  tell(type: DecisionFact, voter: string | undefined, build: () => object): void {
    const { journal, clock, observe } = this.#ports;
    if (journal === undefined && !observe.heard) return;
    if (this.#held !== undefined) {
      this.#held.push(() => this.tell(type, voter, build));
      return;
    }
    this.#publish(type, voter, build);
    if (journal === undefined) return;
    const body = { type, at: clock.now(), ...(voter === undefined ? {} : { voter }), ...toJson(build()) };
    this.#written = this.#written
      .then(async () => {
        const result = await journal.append(decisionLog(this.#decisionId), [body]);
        if (!result.ok) this.#problem ??= "the store refused an entry";
      })
      .catch((error: unknown) => {
        this.#problem ??= error instanceof Error ? error.message : String(error);
      });
  }

  /** Waits until everything told so far is in the journal; says what went wrong, if anything did. */
  async settle(): Promise<string | undefined> {
    await this.#written;
    return this.#problem;
  }

  #publish(type: DecisionFact, voter: string | undefined, build: () => object): void {
    const { observe, clock } = this.#ports;
    if (!observe.heard) return;
    const agent = voter === undefined ? {} : { agent: voter };
    observe.publish({ type, at: clock.now(), decisionId: this.#decisionId, ...agent, data: toJson(build()) });
  }
}
