import { describe, expect, test } from "vitest";
import { membersMax } from "../../../machines/consensus/electorate/electorate.ts";
import { openHall, type Hall } from "../hall.ts";
import { Line } from "../line.ts";
import { TwoFaced } from "../two-faced.ts";

/** Whom each member convicts, and of what. */
function convictions(hall: Hall): string[] {
  return hall.evidence.map(({ by, kind, culprits }) => `${by}: ${kind} ${culprits?.join()}`).sort();
}

async function settled(hall: Hall): Promise<void> {
  for (const replica of hall.seated) await replica.idle();
}

describe("CometBFT's scenarios with a member that lies, on real replicas", () => {
  test("byzantinePrevoteEquivocation: prevotes for a value to one member and for nil to the others convict their voter at all, and stop nobody", async () => {
    using hall = await openHall(4);
    const liar = await TwoFaced.enter(hall);
    const { honest, self } = liar;
    const [first = -1] = honest;
    const value = liar.value(liar.ballots);
    for (const member of honest) await hall.seat(member);
    const [proposal, prevote, nil] = await Promise.all([
      liar.propose(value),
      liar.vote("prevote", value.digest),
      liar.vote("prevote", null),
    ]);
    for (const to of honest) liar.say(to, proposal, nil);
    // One of them alone is shown both.
    liar.say(first, prevote);
    liar.castAll();
    await hall.decided(...honest);
    await settled(hall);
    expect(honest.map((member) => hall.values()[member])).toEqual(["x", "x", "x"]);
    expect(convictions(hall)).toEqual(honest.map((member) => `${member}: DuplicatePrevote ${self}`));
  });

  test("byzantineConflictingProposalsWithPartition: a proposer that shows and votes one value to each side of a partition makes one side decide, the other follows when it is mended, and all convict it", async () => {
    using hall = await openHall(4);
    const liar = await TwoFaced.enter(hall);
    const { honest, ballots, self } = liar;
    const [alone = -1, ...most] = honest;
    const line = new Line(alone, self);
    for (const member of honest) await hall.seat(member, { link: line.of(member) });
    const shown = liar.value(ballots);
    const other = liar.value(ballots.filter((_, index) => index !== self));
    for (const [sides, value] of [
      [[alone], shown],
      [most, other],
    ] as const) {
      const messages = await Promise.all([
        liar.propose(value),
        liar.vote("prevote", value.digest),
        liar.vote("precommit", value.digest),
      ]);
      for (const to of sides) liar.say(to, ...messages);
    }
    liar.castAll();
    await hall.decided(...most);
    await hall.voted(alone);
    await settled(hall);
    expect(hall.replicas[alone]?.decided).toBeUndefined();
    line.isCut = false;
    await hall.decided(alone);
    await settled(hall);
    expect(honest.map((member) => hall.replicas[member]?.decided?.commit.value)).toEqual(
      honest.map(() => other.digest),
    );
    expect(new Set(hall.evidence.map(({ by }) => by))).toEqual(new Set(honest));
    expect(hall.evidence.every(({ culprits }) => culprits?.join() === String(self))).toBe(true);
  });

  test("stateOversizedBlock: a proposal with one ballot more than an electorate may have is not read; with as many as it may have it is, and breaks the rules", async () => {
    for (const [count, kinds] of [
      [membersMax + 1, []],
      [membersMax, ["InvalidVote"]],
    ] as const) {
      using hall = await openHall(4);
      const liar = await TwoFaced.enter(hall);
      const [ballot] = liar.ballots;
      const large = await liar.propose(liar.value(Array.from({ length: count }, () => ballot)));
      for (const member of liar.honest) await hall.seat(member);
      for (const to of liar.honest) liar.say(to, large);
      liar.castAll();
      await hall.decided(...liar.honest);
      await settled(hall);
      // Prevoted nil either way: the next proposer's value is decided.
      expect(liar.honest.map((member) => hall.replicas[member]?.decided?.commit.round)).toEqual([1, 1, 1]);
      const first = hall.signed.filter(({ kind, round }) => kind === "prevote" && round === 0);
      expect(new Set(first.map(({ voter, value }) => `${voter}: ${value}`)).size).toBe(3);
      expect(first.every(({ value }) => value === null)).toBe(true);
      expect([...new Set(hall.evidence.map(({ kind }) => kind))]).toEqual(kinds);
    }
  });
});
