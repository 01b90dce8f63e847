import type { Outcome } from "../../../machines/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import { guardVoter, type Vote } from "../voter.ts";
import { answerSchema, type DistantReplica, type Said, type Summons } from "./distant.ts";
import { waitingMessagesMax } from "./outgoing.ts";
import type { ReplicaPort } from "../bft/port.ts";
import { readMessage, sealMessage, type ReplicaMessage } from "../bft/wire.ts";

/** How long to wait before a voter that could not be reached is asked again, in milliseconds. */
export const rejoinMs = 200;
/** How long a voter that is away when it is asked for its vote may take to come back; then it has failed. Milliseconds. */
export const awayMsMax = 5_000;
/** The least time that each message of a voter elsewhere takes, in milliseconds: it cannot make the others hear more. */
export const carryMs = 1;

interface SeatPorts {
  readonly clock: Clock;
  readonly replica: DistantReplica;
  readonly summons: Omit<Summons, "isResumed">;
  /** The digest of the proposal. */
  readonly decision: string;
  readonly self: number;
  /** This member's place among the others. */
  readonly link: ReplicaPort;
  /** Hears everything that it says, once. */
  readonly heard: (message: ReplicaMessage) => void;
}

/** What comes of a node that is away or begins again; the voter itself has not answered. */
const passing: ReadonlySet<string> = new Set([
  "remote/unreachable",
  "remote/indeterminate",
  "remote/full",
  "agent/stopped",
  "call/busy",
  "call/timeout",
]);

/** What cannot be sent is lost, and the protocol says it again. */
function quietly(send: () => void): void {
  try {
    send();
  } catch {
    // Lost.
  }
}

/**
 * The place of a member whose replica runs elsewhere. Messages go there and come from there through whoever asks, so
 * members need not know each other's nodes. It may stay away and come back; what is lost meanwhile is said again.
 */
export class DistantSeat {
  readonly #ports: SeatPorts;
  readonly #over = new AbortController();
  readonly #invited = Promise.withResolvers<void>();
  #waiting: Said[] = [];
  #hasJoined = false;
  /** Times that it may have begun anew, and how many of them were over when it was asked to join last. */
  #doubts = 0;
  #settled = 0;
  /** Ends the listening to one life of it. */
  #life = new AbortController();
  #isThere = false;
  #isRefused = false;
  /** The value that it has shown a commit of, whatever that is worth. */
  committed: Extract<ReplicaMessage, { type: "commit" }> | undefined;
  messages = 0;

  constructor(ports: SeatPorts) {
    this.#ports = ports;
    const { decision, link } = ports;
    link.receive((from, message) => this.#carry({ decision, from, message }));
  }

  get #id(): string {
    const { self, summons } = this.#ports;
    return summons.invitation.electorate.members[self]?.id ?? "";
  }

  /** Whether it takes part at present. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** Asks it to take part and carries its messages until `stop`; comes back to it when it was away. */
  async attend(): Promise<void> {
    const { replica, summons } = this.#ports;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const doubts = this.#doubts;
      const joined = await guardVoter(this.#id, () =>
        replica.join({ ...summons, isResumed: this.#hasJoined }, { signal }),
      );
      this.#invited.resolve();
      this.#isRefused = !joined.ok && joined.failure.retry === "never";
      if (this.#isRefused) return;
      if (joined.ok) await this.#listen(doubts);
      if (!signal.aborted) await this.#pause(rejoinMs);
    }
  }

  /**
   * Asks for its vote, again when it was away meanwhile and its replica has shown since that it remembers: another start
   * that knows of nothing could sign a second ballot.
   */
  async vote(ask: () => Promise<Outcome<Vote>>): Promise<Outcome<Vote>> {
    await this.#invited.promise;
    const { clock } = this.#ports;
    let awayAt: number | undefined;
    for (;;) {
      const outcome = await ask();
      if (outcome.ok || !passing.has(outcome.failure.code)) return outcome;
      awayAt ??= clock.now();
      // Whatever is there from here on is asked first whether it remembers.
      const doubt = (this.#doubts += 1);
      this.#life.abort();
      do {
        if (this.#over.signal.aborted || this.#isRefused || clock.now() - awayAt > awayMsMax) return outcome;
        await this.#pause(rejoinMs);
      } while (this.#settled < doubt);
    }
  }

  stop(): void {
    if (this.#over.signal.aborted) return;
    const { replica, decision } = this.#ports;
    if (this.#hasJoined) quietly(() => replica.leave(decision));
    this.#over.abort();
    this.#waiting = [];
  }

  #carry(said: Said): void {
    if (this.#over.signal.aborted) return;
    if (this.#isThere) return this.#say(said);
    this.#waiting.push(said);
    if (this.#waiting.length > waitingMessagesMax) this.#waiting.shift();
  }

  #say(said: Said): void {
    quietly(() => this.#ports.replica.say(said));
  }

  async #listen(doubts: number): Promise<void> {
    const { replica, decision } = this.#ports;
    this.#hasJoined = true;
    this.#isThere = true;
    this.#settled = doubts;
    this.#life = new AbortController();
    const signal = AbortSignal.any([this.#over.signal, this.#life.signal]);
    for (const said of this.#waiting.splice(0)) this.#say(said);
    while (!signal.aborted) {
      const outcome = await guardVoter(this.#id, () => replica.listen(decision, { signal }));
      const answer = answerSchema.safeParse(outcome.ok ? outcome.value : undefined);
      if (!answer.success || !answer.data.isSeated) break;
      const { letters } = answer.data;
      for (const { to, message } of letters) this.#deliver(to, message);
      await this.#pause(letters.length === 0 ? rejoinMs : letters.length * carryMs);
    }
    this.#isThere = false;
  }

  #deliver(to: readonly number[], given: unknown): void {
    const read = readMessage(given);
    if (read === undefined || this.#over.signal.aborted) return;
    // Its form is sound: nobody here need read it again.
    const message = sealMessage(read);
    if (message.type === "commit") this.committed = message;
    this.#ports.heard(message);
    for (const place of new Set(to)) {
      if (place === this.#ports.self) continue;
      this.messages += 1;
      this.#ports.link.send(place, message);
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#over;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = this.#ports.clock.after(ms, end);
      signal.addEventListener("abort", end, { once: true });
    });
  }
}
