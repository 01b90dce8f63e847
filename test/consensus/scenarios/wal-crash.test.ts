import { describe, expect, test } from "vitest";
import type { Vote } from "../../../machines/consensus/bft/statement.ts";
import type { Json } from "../../../machines/failure.ts";
import type { ReplicaPort } from "../../../src/consensus/bft/port.ts";
import { voteLog } from "../../../src/consensus/bft/vote-store.ts";
import { readMessage } from "../../../src/consensus/bft/wire.ts";
import { openHall, type Hall, type Votes } from "../hall.ts";

/** The first member falls while it writes its record `at`, counted from 1; perhaps that record is durable all the same. */
function fallingAt(hall: Hall, memory: Votes, { at, isWritten }: { readonly at: number; readonly isWritten: boolean }) {
  const fallen = Promise.withResolvers<void>();
  let appends = 0;
  const store: Votes = {
    read: (log, from, limit) => memory.read(log, from, limit),
    async append(log, bodies, seq) {
      appends += 1;
      if (appends < at) return await memory.append(log, bodies, seq);
      if (appends === at && isWritten) await memory.append(log, bodies, seq);
      hall.replicas[0]?.stop();
      fallen.resolve();
      // It never hears what became of it.
      return await new Promise(() => undefined);
    },
  };
  return { store, fallen: fallen.promise };
}

/** Loses proposals of the first round: who has forgotten that it voted for one would vote nil now. */
function losingFirstProposals(port: ReplicaPort): ReplicaPort {
  return {
    send: (to, message) => port.send(to, message),
    receive: (hear) =>
      port.receive((from, message) => {
        const said = readMessage(message);
        if (said?.type !== "proposal" || said.proposal.round > 0) hear(from, message);
      }),
  };
}

/** Everything that a member signed: what it sent, and what its store kept though it was never sent. */
function contentsPerPlace(sent: readonly Vote[], kept: readonly Json[]): number[] {
  const places = new Map<string, Set<string>>();
  const stored = kept.flatMap((body) => (body as { readonly statement?: Vote }).statement ?? []);
  for (const { kind, round, value, validRound } of [...sent, ...stored])
    places.set(`${kind}/${round}`, (places.get(`${kind}/${round}`) ?? new Set()).add(`${value}/${validRound}`));
  return [...places.values()].map(({ size }) => size);
}

describe("CometBFT's scenario of the write-ahead log, on a real replica and its vote store", () => {
  // Opened, perhaps a proposal, a prevote, a precommit.
  test.each([1, 2, 3])(
    "walCrash: a member that falls at write %i of its vote store, before or after the record is durable, comes back, signs nothing twice, and all decide",
    async (at) => {
      for (const isWritten of [false, true]) {
        using hall = await openHall();
        const [memory] = hall.stores;
        if (memory === undefined) throw new Error("it has a store");
        const { store, fallen } = fallingAt(hall, memory, { at, isWritten });
        // Three of four, so that nobody decides without it.
        for (const to of [0, 1, 2]) hall.ports[3]?.send(to, { type: "ballots", ballots: [] });
        hall.ports[3]?.receive(() => undefined);
        const opening = hall.seat(0, { store });
        for (const self of [1, 2]) await hall.seat(self);
        if (at > 1) {
          await opening;
          for (const self of [0, 1, 2]) await hall.vote(self, "x");
        }
        await fallen;
        expect(hall.values().slice(1)).toEqual([undefined, undefined]);
        const again = await hall.seat(0, { link: losingFirstProposals }, at > 1);
        expect(again.isMute).toBe(false);
        if (at === 1) for (const self of [1, 2]) await hall.vote(self, "x");
        await hall.vote(0, "x");
        await hall.decided(0, 1, 2);
        expect(hall.values().slice(0, 3)).toEqual(["x", "x", "x"]);
        const log = voteLog(hall.council.round.proposalDigest, "a");
        const kept = (await memory.read(log)).map(({ body }) => body);
        const sent = hall.signed.filter(({ voter }) => voter === 0);
        expect(sent.length).toBeGreaterThanOrEqual(2);
        expect(contentsPerPlace(sent, kept).every((size) => size === 1)).toBe(true);
        expect(hall.evidence).toEqual([]);
      }
    },
  );
});
