import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { joinLocally, type ReplicaPort } from "../../src/consensus/bft/port.ts";
import { Replica } from "../../src/consensus/bft/replica.ts";
import { openVoteStore } from "../../src/consensus/bft/vote-store.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Store } from "../../src/ports/store.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { IdleClock } from "./idle-clock.ts";
import { convene, equals, single, type Council } from "./council.ts";

const timeouts = { proposeMs: 40, voteMs: 20, growthMs: 10, resendMs: 15 };

/** What a replica needs of a store. */
export type Votes = Pick<Store, "append" | "read">;

interface Seat {
  readonly link?: (port: ReplicaPort) => ReplicaPort;
  readonly store?: Votes;
  readonly clock?: Clock;
}

/** A council whose members are put in one by one, and taken out. */
export class Hall {
  readonly council: Council;
  readonly clock: FakeClock;
  readonly ports: readonly ReplicaPort[];
  readonly stores: Votes[];
  readonly replicas: Replica[] = [];
  readonly silent: string[] = [];
  /** By whom, and what. */
  readonly evidence: { by: number; kind: string; culprits?: readonly number[]; voter?: string }[] = [];
  readonly signed: Vote[] = [];
  readonly #decided = new Map<number, PromiseWithResolvers<void>>();

  constructor(council: Council, clock: FakeClock) {
    this.council = council;
    this.clock = clock;
    const { members } = council.electorate;
    this.ports = joinLocally(members.length);
    this.stores = members.map(() => new MemoryStore(clock));
  }

  async seat(self: number, given: Seat = {}, isResumed = false): Promise<Replica> {
    const { council } = this;
    const { round } = council;
    const member = council.electorate.members[self];
    const signer = council.signers.get(member?.id ?? "");
    const port = this.ports[self];
    const store = given.store ?? this.stores[self];
    if (member === undefined || signer === undefined || port === undefined || store === undefined)
      throw new Error(`no member ${self}`);
    const watched: ReplicaPort = {
      send: (to, message) => {
        const said = readMessage(message);
        if (said?.type === "vote" && said.vote.voter === self) this.signed.push(said.vote);
        port.send(to, message);
      },
      receive: (hear) => port.receive(hear),
    };
    const decided = Promise.withResolvers<void>();
    this.#decided.set(self, decided);
    const replica = new Replica(
      { round, self },
      {
        clock: given.clock ?? this.clock,
        signer,
        verify: verifyEd25519,
        timeouts,
        close: "all",
        port: given.link?.(watched) ?? watched,
        votes: openVoteStore(store, {
          decision: round.proposalDigest,
          memberId: member.id,
          publicKey: member.publicKey,
        }),
        listener: {
          onClosed: () => undefined,
          onDecided: () => decided.resolve(),
          onEvidence: (evidence) => void this.evidence.push({ by: self, ...evidence }),
          onSilent: (reason) => void this.silent.push(reason),
        },
      },
    );
    this.replicas[self] = replica;
    await replica.open(isResumed);
    return replica;
  }

  /** The member brings its ballot. */
  async vote(self: number, option: string): Promise<void> {
    const { id = "" } = this.council.electorate.members[self] ?? {};
    this.replicas[self]?.cast([await this.council.sign(this.council.body(id, single(option)))]);
  }

  async decided(...members: readonly number[]): Promise<void> {
    await Promise.all(members.map(async (self) => await this.#decided.get(self)?.promise));
  }

  /** Who is there: some seats may be empty. */
  get seated(): Replica[] {
    return Object.values(this.replicas);
  }

  /** Waits until each of these has sent a vote. */
  async voted(...members: readonly number[]): Promise<void> {
    const hasVoted = (self: number): boolean => this.signed.some(({ voter }) => voter === self);
    while (!members.every(hasVoted)) await new Promise((resolve) => setImmediate(resolve));
  }

  values(): (string | undefined)[] {
    return this.replicas.map(({ decided }) => decided?.value.option ?? undefined);
  }

  [Symbol.dispose](): void {
    for (const replica of this.seated) replica.stop();
  }
}

/** A hall of equals, any two thirds of whom can agree. Ballots are taken for so many milliseconds. */
export async function openHall(count = 4, ballotsMs = 60_000): Promise<Hall> {
  const clock = new IdleClock();
  const closesAt = clock.now() + ballotsMs;
  const rules = { closing: "commit", method: "single", threshold: ">1/2", participation: ">1/2" } as const;
  return new Hall(await convene(equals(count), { ...rules, closesAt }), clock);
}
