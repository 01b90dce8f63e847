import { describe, expect, it } from "vitest";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { proposerOf } from "../../machines/consensus/bft/council.ts";
import type { ReplicaPort } from "../../src/consensus/bft/port.ts";
import { voteLog } from "../../src/consensus/bft/vote-store.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Json } from "../../machines/failure.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { openHall, type Votes } from "./hall.ts";

/** A memory that keeps `whole` records and what `damage` makes of the next one. */
async function copyOf(store: Votes, log: string, whole: number, damage?: Json): Promise<Votes> {
  const copy = new MemoryStore(new FakeClock());
  const bodies = (await store.read(log)).slice(0, whole).map(({ body }) => body);
  await copy.append(log, damage === undefined ? bodies : [...bodies, damage]);
  return copy;
}

function contentsPerPlace(votes: readonly Vote[]): number[] {
  const places = new Map<string, Set<string>>();
  for (const { voter, kind, round, value, validRound } of votes) {
    const place = `${voter}/${kind}/${round}`;
    places.set(place, (places.get(place) ?? new Set()).add(`${value}/${validRound}`));
  }
  return [...places.values()].map(({ size }) => size);
}

describe("a replica that falls and comes back (fault matrix, row 28)", () => {
  const memories = [
    ["intact", (all: readonly Json[]) => ({ whole: all.length })],
    ["truncated within its last record", (all: readonly Json[]) => ({ whole: all.length, damage: '{"type":"sig' })],
  ] as const;

  it.each(memories)("with its store %s signs nothing twice, and decides with the others", async (_what, keep) => {
    using hall = await openHall();
    // Its votes never leave, so that nobody else can decide before it comes back: two of four are missing.
    const cut = (port: ReplicaPort): ReplicaPort => ({ send: () => undefined, receive: (hear) => port.receive(hear) });
    const first = await hall.seat(0, {
      link: (port) => ({
        ...cut(port),
        send: (to, message) => {
          if (readMessage(message)?.type === "ballots") port.send(to, message);
        },
      }),
    });
    for (const self of [1, 2]) await hall.seat(self);
    for (const self of [0, 1, 2]) await hall.vote(self, "x");
    hall.ports[3]?.receive(() => undefined);
    hall.ports[3]?.send(0, { type: "ballots", ballots: [] });
    hall.ports[3]?.send(1, { type: "ballots", ballots: [] });
    hall.ports[3]?.send(2, { type: "ballots", ballots: [] });
    const log = voteLog(hall.council.round.proposalDigest, "a");
    const store = hall.stores[0];
    if (store === undefined) throw new Error("it has a store");
    while ((await store.read(log)).length < 3) await new Promise((resolve) => setImmediate(resolve));
    first.stop();
    await first.idle();
    const before = (await store.read(log)).map(({ body }) => body);
    const { whole, damage } = { damage: undefined, ...keep(before) };
    const again = await hall.seat(0, { store: await copyOf(store, log, whole, damage) }, true);
    expect(again.isMute).toBe(false);
    await hall.vote(0, "x");
    await hall.decided(0, 1, 2);
    expect(hall.values().slice(0, 3)).toEqual(["x", "x", "x"]);
    const stored = before.flatMap((body) => {
      const { statement } = body as { statement?: Vote };
      return statement === undefined || (statement.kind as string) === "proposal" ? [] : [statement];
    });
    expect(contentsPerPlace([...stored, ...hall.signed]).every((size) => size === 1)).toBe(true);
    expect(hall.evidence).toEqual([]);
  });

  it.each([
    ["lost", 0, undefined],
    ["damaged before its end", 2, '{"type":"sig'],
  ])("with its store %s stays silent, and the others decide without it", async (_what, whole, damage) => {
    using hall = await openHall();
    for (const self of [0, 1, 2, 3]) await hall.seat(self);
    for (const self of [0, 1, 2, 3]) await hall.vote(self, "x");
    await hall.decided(0);
    const log = voteLog(hall.council.round.proposalDigest, "a");
    const store = hall.stores[0];
    hall.replicas[0]?.stop();
    if (store === undefined) throw new Error("it has a store");
    const copy = whole === 0 ? new MemoryStore(new FakeClock()) : await copyOf(store, log, whole, damage);
    if (whole > 0)
      await copy.append(
        log,
        (await store.read(log)).slice(whole, whole + 1).map(({ body }) => body),
      );
    hall.signed.length = 0;
    const again = await hall.seat(0, { store: copy }, true);
    expect(again.isMute).toBe(true);
    expect(hall.silent).toHaveLength(1);
    await hall.vote(0, "x");
    await again.idle();
    expect(hall.signed.filter(({ voter }) => voter === 0)).toEqual([]);
    await hall.decided(1, 2, 3);
  });

  it("falls silent when its store refuses a record, and nothing of that record leaves", async () => {
    using hall = await openHall();
    const memory = new MemoryStore(new FakeClock());
    let appends = 0;
    const failing: Votes = {
      read: (log, from) => memory.read(log, from),
      append: async (log, bodies, seq) =>
        (appends += 1) > 1 ? { ok: false, seq: 0 } : await memory.append(log, bodies, seq),
    };
    await hall.seat(0, { store: failing });
    for (const self of [1, 2, 3]) await hall.seat(self);
    for (const self of [0, 1, 2, 3]) await hall.vote(self, "x");
    await hall.decided(1, 2, 3);
    expect(hall.silent).toHaveLength(1);
    expect(hall.signed.filter(({ voter }) => voter === 0)).toEqual([]);
  });
});

describe("replicas that agree", () => {
  it("do not prevote at first for a value that leaves out ballots which would turn it (fault matrix, row 26)", async () => {
    using hall = await openHall(7);
    const first = proposerOf((await hall.seat(0)).council, 0);
    for (let self = 1; self < 7; self += 1) await hall.seat(self);
    // The first proposer takes no ballot of two that want y, so that x looks unopposed; four want y, three x.
    const likes = Array.from({ length: 7 }, (_, self) => (self === first || (self + 7 - first) % 7 < 3 ? "x" : "y"));
    const hidden = likes.flatMap((like, self) => (like === "y" ? [self] : [])).slice(0, 2);
    hall.replicas[first]?.stop();
    await hall.seat(first, {
      store: new MemoryStore(new FakeClock()),
      link: (port) => ({
        send: (to, message) => port.send(to, message),
        receive: (hear) =>
          port.receive((from, message) => {
            const isHidden = hidden.includes(from) && readMessage(message)?.type === "ballots";
            hear(from, isHidden ? { type: "ballots", ballots: [] } : message);
          }),
      }),
    });
    for (const [self, like] of likes.entries()) await hall.vote(self, like);
    await hall.decided(0, 1, 2, 3, 4, 5, 6);
    const commits = hall.replicas.map(({ decided }) => decided?.commit.round ?? -1);
    expect(Math.min(...commits)).toBeGreaterThan(0);
    expect(new Set(hall.values())).toEqual(new Set(["y"]));
  });

  it("decide alike although their clocks differ by an hour (fault matrix, row 29)", async () => {
    using hall = await openHall(4, 3 * 3_600_000);
    const skewed = (ms: number): Clock => ({
      now: () => hall.clock.now() + ms,
      after: (delay, fire) => hall.clock.after(delay, fire),
    });
    for (const [self, ms] of [3_600_000, -3_600_000, 0, 0].entries()) await hall.seat(self, { clock: skewed(ms) });
    for (const self of [0, 1, 2, 3]) await hall.vote(self, "x");
    await hall.decided(0, 1, 2, 3);
    expect(hall.values()).toEqual(["x", "x", "x", "x"]);
  });

  it.each([
    ["long before", 3 * 3_600_000],
    ["beyond", 60_000],
  ])(
    "decide alike although their clocks jump an hour in the middle and back, %s the close (fault matrix, row 29)",
    async (_where, ballotsMs) => {
      using hall = await openHall(4, ballotsMs);
      const jumps: string[] = [];
      for (const [self, leapMs] of [3_600_000, -3_600_000, 3_600_000, 0].entries()) {
        let aheadMs = 0;
        const clock: Clock = {
          now: () => hall.clock.now() + aheadMs,
          after: (delay, fire) => hall.clock.after(delay, fire),
        };
        const link = (port: ReplicaPort): ReplicaPort => ({
          send: (to, message) => {
            const said = readMessage(message);
            if (said?.type === "vote" && said.vote.voter === self) {
              const next = said.vote.kind === "prevote" ? leapMs : 0;
              if (next !== aheadMs) jumps.push(`${self} by ${next - aheadMs}`);
              aheadMs = next;
            }
            port.send(to, message);
          },
          receive: (hear) => port.receive(hear),
        });
        await hall.seat(self, { clock, link });
      }
      for (const self of [0, 1, 2, 3]) await hall.vote(self, "x");
      await hall.decided(0, 1, 2, 3);
      expect(hall.values()).toEqual(["x", "x", "x", "x"]);
      expect(hall.evidence).toEqual([]);
      expect(contentsPerPlace(hall.signed).every((size) => size === 1)).toBe(true);
      const there = ["0 by 3600000", "1 by -3600000", "2 by 3600000"];
      const back = ["0 by -3600000", "1 by 3600000", "2 by -3600000"];
      expect(jumps).toEqual(expect.arrayContaining([...there, ...back]));
    },
  );

  it("read foreign messages as data: whatever is malformed or of another decision changes nothing", async () => {
    using hall = await openHall();
    for (const self of [0, 1, 2, 3]) await hall.seat(self);
    const junk: unknown[] = [
      null,
      7,
      "vote",
      {},
      { type: "vote" },
      { type: "vote", vote: { kind: "prevote", round: -1 } },
    ];
    const stale = {
      kind: "prevote",
      decision: "00".repeat(32),
      electorate: "00".repeat(32),
      voter: 1,
      round: 0,
      value: null,
      validRound: -1,
      sig: "00".repeat(64),
    };
    const before = structuredClone(hall.replicas[0]?.state);
    for (const message of [...junk, { type: "vote", vote: stale }]) hall.ports[1]?.send(0, message);
    await hall.replicas[0]?.idle();
    expect(hall.replicas[0]?.state).toEqual(before);
    expect(hall.replicas[0]?.metrics.dropped).toBe(junk.length + 1);
  });
});
