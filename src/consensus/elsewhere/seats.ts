import { wideTimeouts } from "../../../machines/consensus/bft/council.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import { indexOfMember } from "../../../machines/consensus/electorate/electorate.ts";
import { failure, type Outcome } from "../../../machines/failure.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Verify } from "../../ports/signer.ts";
import type { Store } from "../../ports/store.ts";
import type { Invitation, Vote, Voter } from "../voter.ts";
import { agreementMsMax } from "../bft/agree.ts";
import { saidSchema, summonsSchema, type DistantReplica, type Said, type Summons } from "./distant.ts";
import { Outgoing } from "./outgoing.ts";
import { StraightWays, type WayPorts } from "./ways.ts";
import { Replica } from "../bft/replica.ts";
import { openVoteStore } from "../bft/vote-store.ts";

/** Decisions of mode bft that one voter takes part in at once; a further one is refused until one of them is over. */
export const seatsMax = 64;
/** The longest that a replica waits for the end of a decision of which nobody says that it is over, in milliseconds. */
export const seatLifeMsMax = 3_600_000;

/** What a voter has promised in one round, and where its replica keeps what it signs. */
export interface Promised {
  readonly round: Round;
  readonly vote: Promise<Outcome<Vote>>;
  readonly store: Pick<Store, "append" | "read">;
}

export interface SeatPorts extends Partial<WayPorts> {
  readonly clock: Clock;
  readonly verify: Verify;
  /** The voter's one answer to an invitation, or why it gives none. */
  promise(invitation: Invitation, signal: AbortSignal): Promised | Outcome<never>;
}

function refuse(voter: Voter, problem: string): Outcome<never> {
  const message = `${voter.member.id} takes no part: ${problem}`;
  return { ok: false, failure: failure("consensus/not-seated", message) };
}

/** One voter's replica in one decision. */
class Seat {
  readonly outgoing: Outgoing;
  readonly opened: Promise<Outcome<null>>;
  readonly #voter: Voter;
  readonly #replica: Replica;
  readonly #life: Timer;
  readonly #over: AbortController;
  #hear: ((from: number, message: unknown) => void) | undefined;
  #silence = "";

  constructor(
    voter: Voter,
    promised: Promised,
    given: SeatPorts &
      Pick<Summons, "close" | "isResumed" | "reach"> & { readonly over: AbortController; readonly end: () => void },
  ) {
    const { round, store } = promised;
    const { clock, verify, close } = given;
    const { members } = round.electorate;
    const { id } = voter.member;
    const self = indexOfMember(round.electorate, id);
    const { signer } = voter;
    this.#voter = voter;
    this.outgoing = new Outgoing(clock);
    const ways = new StraightWays(given.reach, given);
    const decision = round.proposalDigest;
    const link = {
      send: (to: number, message: unknown) =>
        this.outgoing.put(ways.say(to, { decision, from: self, message }) ? undefined : to, message),
      receive: (hear: (from: number, message: unknown) => void) => void (this.#hear = hear),
    };
    const publicKey = Buffer.from(signer.publicKey).toString("hex");
    this.#replica = new Replica(
      { round, self },
      {
        clock,
        signer,
        verify,
        close,
        timeouts: wideTimeouts,
        port: voter.link?.(link, { self, members: members.length, signer }) ?? link,
        votes: openVoteStore(store, { decision, memberId: id, publicKey }),
        listener: {
          onClosed: () => undefined,
          onDecided: () => undefined,
          onEvidence: () => undefined,
          onSilent: (reason) => void (this.#silence = reason),
        },
      },
    );
    const lifeMs = Math.min(seatLifeMsMax, Math.max(0, round.proposal.closesAt - clock.now()) + agreementMsMax);
    this.#over = given.over;
    this.#life = clock.after(lifeMs, given.end, { background: true });
    this.opened = this.#open(promised, given.isResumed);
  }

  hear({ from, message }: Said): void {
    this.#hear?.(from, message);
  }

  /** The opinion is of no use any more either. */
  stop(): void {
    this.#over.abort();
    this.#life.cancel();
    this.#replica.stop();
    this.outgoing.close();
  }

  async #open({ vote }: Promised, isResumed: boolean): Promise<Outcome<null>> {
    const replica = this.#replica;
    try {
      await replica.open(isResumed);
    } catch (error) {
      return refuse(this.#voter, error instanceof Error ? error.message : String(error));
    }
    if (replica.isMute) return refuse(this.#voter, this.#silence);
    void vote.then(
      (outcome) => replica.cast(outcome.ok ? outcome.value.ballots : []),
      () => replica.cast([]),
    );
    return { ok: true, value: null };
  }
}

/** The replicas of one voter, in all decisions of mode bft that others hold and it takes part in. */
export class Seats implements DistantReplica {
  readonly #voter: Voter;
  readonly #ports: SeatPorts;
  readonly #seats = new Map<string, Seat>();

  constructor(voter: Voter, ports: SeatPorts) {
    this.#voter = voter;
    this.#ports = ports;
  }

  async join(given: Summons): Promise<Outcome<unknown>> {
    const over = new AbortController();
    const promised = this.#promise(given, over.signal);
    if ("ok" in promised) return promised;
    const { proposalDigest, proposal } = promised.round;
    if (proposal.closing !== "commit") return refuse(this.#voter, "the proposal is not one of mode bft");
    const before = this.#seats.get(proposalDigest);
    if (before !== undefined) return await before.opened;
    if (this.#seats.size >= seatsMax) return refuse(this.#voter, `it takes part in ${seatsMax} decisions already`);
    const end = (): void => this.leave(proposalDigest);
    const { close, isResumed, reach } = given;
    const seat = new Seat(this.#voter, promised, { ...this.#ports, close, isResumed, reach, over, end });
    this.#seats.set(proposalDigest, seat);
    const opened = await seat.opened;
    if (!opened.ok) end();
    return opened;
  }

  #promise(given: Summons, signal: AbortSignal): Promised | Outcome<never> {
    try {
      summonsSchema.parse(given);
      return this.#ports.promise(given.invitation, signal);
    } catch {
      return refuse(this.#voter, "what it is asked cannot be read");
    }
  }

  /** Whether there was a replica to hear it. */
  say(given: Said): boolean {
    const said = saidSchema.safeParse(given);
    const seat = said.success ? this.#seats.get(said.data.decision) : undefined;
    if (said.success) seat?.hear(said.data);
    return seat !== undefined;
  }

  async listen(decision: string, { signal }: { readonly signal: AbortSignal }): Promise<Outcome<unknown>> {
    const seat = this.#seats.get(decision);
    const letters = (await seat?.outgoing.next(signal)) ?? [];
    return { ok: true, value: { isSeated: seat !== undefined, letters } };
  }

  leave(decision?: string): void {
    for (const [name, seat] of this.#seats) {
      if (decision !== undefined && name !== decision) continue;
      this.#seats.delete(name);
      seat.stop();
    }
  }
}
