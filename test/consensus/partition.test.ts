import { describe, expect, it } from "vitest";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";
import { openHall } from "./hall.ts";
import { Line } from "./line.ts";
import { TwoFaced } from "./two-faced.ts";

describe("a council that is parted (fault matrix, row 14)", () => {
  it("decides nothing in either half of an even split, and one thing in both when it is mended", async () => {
    using hall = await openHall(4);
    const line = new Line(0, 1);
    for (const self of [0, 1, 2, 3]) await hall.seat(self, { link: line.of(self) });
    for (const self of [0, 1, 2, 3]) await hall.vote(self, self < 3 ? "x" : "y");
    // All know the ballots, and each half votes as far as it comes.
    await hall.voted(0, 1, 2, 3);
    for (const replica of hall.seated) await replica.idle();
    expect(hall.values()).toEqual([undefined, undefined, undefined, undefined]);
    line.isCut = false;
    await hall.decided(0, 1, 2, 3);
    expect(hall.values()).toEqual(["x", "x", "x", "x"]);
    expect(hall.evidence).toEqual([]);
  });

  it("goes on without a minority, which decides nothing by itself and the same when it is back", async () => {
    using hall = await openHall(4);
    const line = new Line(3);
    for (const self of [0, 1, 2, 3]) await hall.seat(self, { link: line.of(self) });
    for (const self of [0, 1, 2, 3]) await hall.vote(self, self < 3 ? "x" : "y");
    await hall.decided(0, 1, 2);
    expect(hall.values()).toEqual(["x", "x", "x", undefined]);
    line.isCut = false;
    await hall.decided(3);
    expect(hall.values()).toEqual(["x", "x", "x", "x"]);
  });
});

describe("a council of which more than F_live is away (fault matrix, row 2)", () => {
  it("decides nothing, and decides as soon as enough of them are back", async () => {
    using hall = await openHall(4);
    const line = new Line(2);
    for (const self of [0, 1, 2]) await hall.seat(self, { link: line.of(self) });
    hall.ports[3]?.receive(() => undefined);
    for (const to of [0, 1, 2]) hall.ports[3]?.send(to, { type: "ballots", ballots: [] });
    for (const self of [0, 1, 2]) await hall.vote(self, "x");
    await hall.voted(0, 1);
    for (const replica of hall.seated) await replica.idle();
    expect(hall.values()).toEqual([undefined, undefined, undefined]);
    line.isCut = false;
    await hall.decided(0, 1, 2);
    expect(hall.values()).toEqual(["x", "x", "x"]);
  });
});

describe("a member that signs two votes and shows each side one (fault matrix, row 5)", () => {
  it("is convicted at every correct member, once the two sides show each other why they are where they are", async () => {
    using hall = await openHall(4);
    // The second is away, so that the liar's vote makes a polka at the first, and none at the third.
    for (const self of [0, 2]) await hall.seat(self);
    const signer = hall.council.signers.get("d");
    if (signer === undefined) throw new Error("the liar has a key");
    await hall.seat(3, {
      link: (port) => ({
        send(to, message) {
          const said = readMessage(message);
          if (said?.type === "status" || said?.type === "commit" || said?.type === "transcript") return;
          if (to !== 2 || said?.type !== "vote" || said.vote.value === null) return port.send(to, message);
          const { sig: _sig, ...vote } = said.vote;
          const lie = signStatement<Vote>({ ...vote, value: null, validRound: -1 }, signer);
          void lie.then((other) => port.send(to, { type: "vote", vote: other }));
        },
        receive: (hear) => port.receive(hear),
      }),
    });
    for (const self of [0, 2, 3]) hall.ports[1]?.send(self, { type: "ballots", ballots: [] });
    for (const self of [0, 2, 3]) await hall.vote(self, "x");
    await hall.decided(0, 2);
    for (const replica of hall.seated) await replica.idle();
    const convicted = (self: number): boolean =>
      hall.evidence.some(
        ({ kind, culprits, by }) => by === self && kind.startsWith("Duplicate") && culprits?.[0] === 3,
      );
    expect([0, 2].map(convicted)).toEqual([true, true]);
    expect(hall.evidence.every(({ culprits }) => culprits?.[0] === 3)).toBe(true);
  });

  it("is convicted by all where one member alone heard both votes, for that one shows them", async () => {
    using hall = await openHall(4);
    for (const self of [0, 1, 2]) await hall.seat(self);
    const signer = hall.council.signers.get("d");
    const [first] = hall.replicas;
    if (signer === undefined || first === undefined) throw new Error("the liar has a key, the first a seat");
    const { decision, electorate } = first.council;
    const place = { decision, electorate, kind: "prevote", voter: 3, round: 0, validRound: -1 } as const;
    for (const value of [null, "ab".repeat(32)]) {
      hall.ports[3]?.send(0, { type: "vote", vote: await signStatement<Vote>({ ...place, value }, signer) });
    }
    hall.ports[3]?.receive(() => undefined);
    for (const to of [0, 1, 2]) hall.ports[3]?.send(to, { type: "ballots", ballots: [] });
    for (const self of [0, 1, 2]) await hall.vote(self, "x");
    await hall.decided(0, 1, 2);
    for (const replica of hall.seated) await replica.idle();
    const convictions = hall.evidence.map(({ by, kind, culprits }) => `${by}: ${kind} ${culprits?.join()}`);
    expect(convictions.sort()).toEqual(["0: DuplicatePrevote 3", "1: DuplicatePrevote 3", "2: DuplicatePrevote 3"]);
  });
});

describe("a proposer that shows each side another proposal (fault matrix, row 3)", () => {
  it("is convicted of two proposals by every correct member, and the others agree", async () => {
    using hall = await openHall(4);
    const liar = await TwoFaced.enter(hall);
    const { honest, ballots, self } = liar;
    const sides = [
      await liar.propose(liar.value(ballots)),
      await liar.propose(liar.value(ballots.filter((_, index) => index !== self))),
    ];
    for (const member of honest) await hall.seat(member);
    for (const to of honest) liar.say(to, sides[to === honest[0] ? 0 : 1]);
    liar.castAll();
    await hall.decided(...honest);
    for (const replica of hall.seated) await replica.idle();
    expect(hall.values().filter((value) => value !== undefined)).toEqual(["x", "x", "x"]);
    const convictions = hall.evidence.map(({ by, kind, culprits }) => `${by}: ${kind} ${culprits?.join()}`);
    expect(convictions.sort()).toEqual(honest.map((member) => `${member}: DuplicateProposal ${self}`));
  });
});
