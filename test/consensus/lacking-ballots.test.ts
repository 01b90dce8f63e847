import { describe, expect, it } from "vitest";
import { proposerOf } from "../../machines/consensus/bft/council.ts";
import type { ReplicaPort } from "../../src/consensus/bft/port.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";
import { openHall, type Hall } from "./hall.ts";

/** A link that loses what a test says. */
function losing(isLost: (self: number, to: number, message: unknown) => boolean, self: number) {
  return (port: ReplicaPort): ReplicaPort => ({
    send: (to, message) => {
      if (!isLost(self, to, message)) port.send(to, message);
    },
    receive: (hear) => port.receive(hear),
  });
}

async function closed(hall: Hall, ...members: readonly number[]): Promise<void> {
  while (!members.every((self) => hall.replicas[self]?.box.isClosed === true))
    await new Promise((resolve) => setImmediate(resolve));
}

describe("a replica whose ballot box closes with too few ballots", () => {
  it("gets those it lacks when the others can be reached, though all boxes are closed by then", async () => {
    using hall = await openHall();
    let isParted = true;
    const apart = (self: number, to: number): boolean => isParted && self < 2 !== to < 2;
    for (const self of [0, 1, 2, 3]) await hall.seat(self, { link: losing(apart, self) });
    // All the same: whichever three ballots a proposer holds first, it proposes one outcome.
    for (const self of [0, 1, 2, 3]) await hall.vote(self, "x");
    await closed(hall, 0, 1, 2, 3);
    expect(hall.replicas.map(({ box }) => box.isQuorate)).toEqual([false, false, false, false]);
    isParted = false;
    await hall.decided(0, 1, 2, 3);
    expect(hall.values()).toEqual(["x", "x", "x", "x"]);
    expect(hall.evidence).toEqual([]);
  });

  it("prevotes and precommits for the value of the only one that holds enough", async () => {
    using hall = await openHall();
    for (const self of [0, 1, 2]) await hall.seat(self);
    // The last one falls when the first alone has its ballot; the third has an agent that failed.
    const { council } = hall;
    hall.ports[3]?.receive(() => undefined);
    hall.ports[3]?.send(0, {
      type: "ballots",
      ballots: [await council.sign(council.body("d", { kind: "single", option: "x" }))],
    });
    for (const self of [0, 1]) await hall.vote(self, "x");
    hall.replicas[2]?.cast([]);
    await hall.decided(0, 1, 2);
    expect(hall.values()).toEqual(["x", "x", "x"]);
    expect(hall.replicas.map(({ decided }) => decided?.value.ballots.map(({ body }) => body.voter))).toEqual(
      [0, 1, 2].map(() => ["a", "b", "d"]),
    );
  });

  it("proposes what it learned of a proposal, when the one that made it is gone", async () => {
    using hall = await openHall();
    const isGone = (self: number, to: number, message: unknown): boolean => {
      const said = readMessage(message);
      return self === 0 && said?.type !== "ballots" && (said?.type !== "proposal" || to !== 1);
    };
    for (const self of [0, 1, 2, 3]) await hall.seat(self, { link: losing(isGone, self) });
    // Nobody but the first has the ballot of the last, whose replica goes on.
    const { council } = hall;
    const ballot = await council.sign(council.body("d", { kind: "single", option: "x" }));
    hall.ports[3]?.send(0, { type: "ballots", ballots: [ballot] });
    for (const self of [0, 1]) await hall.vote(self, "x");
    for (const self of [2, 3]) hall.replicas[self]?.cast([]);
    await hall.decided(1, 2, 3);
    expect(hall.values().slice(1)).toEqual(["x", "x", "x"]);
    const [, second] = hall.replicas;
    if (second?.decided === undefined) throw new Error("it has decided");
    expect(proposerOf(second.council, second.decided.commit.round)).toBe(1);
  });

  it("learns what was decided without it", async () => {
    using hall = await openHall();
    let isAway = true;
    const away = (self: number, to: number): boolean => isAway && (self === 3) !== (to === 3);
    for (const self of [0, 1, 2, 3]) await hall.seat(self, { link: losing(away, self) });
    for (const self of [0, 1, 2, 3]) await hall.vote(self, self < 3 ? "x" : "y");
    await hall.decided(0, 1, 2);
    await closed(hall, 3);
    isAway = false;
    await hall.decided(3);
    expect(hall.values()).toEqual(["x", "x", "x", "x"]);
  });

  it("counts what came after the time for ballots and before its clock said so", async () => {
    using hall = await openHall();
    const { box } = await hall.seat(0);
    const { council } = hall;
    const { closesAt } = council.round.proposal;
    const ballotOf = (voter: string) => council.sign(council.body(voter, { kind: "single", option: "x" }));
    for (const voter of ["a", "b"]) box.take([await ballotOf(voter)], closesAt);
    for (const voter of ["c", "d"]) box.take([await ballotOf(voter)], closesAt + 1);
    box.expire();
    expect(box.build()?.ballots.map(({ body }) => body.voter)).toEqual(["a", "b", "c", "d"]);
  });

  it("counts no ballot that comes after the close of a box that had enough", async () => {
    using hall = await openHall();
    const first = await hall.seat(0);
    const { council } = hall;
    const ballotOf = (voter: string) => council.sign(council.body(voter, { kind: "single", option: "x" }));
    for (const voter of ["a", "b", "c"]) first.box.take([await ballotOf(voter)], 0);
    await closed(hall, 0);
    first.box.take([await ballotOf("d")], hall.clock.now());
    expect(first.box.build()?.ballots.map(({ body }) => body.voter)).toEqual(["a", "b", "c"]);
  });
});
