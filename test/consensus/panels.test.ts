import { describe, expect, it } from "vitest";
import { isTroupeError } from "../../src/errors.ts";
import { createMember } from "../../src/consensus/ed25519.ts";
import { electorateDigestOf, defineElectorate, seatPanel } from "../../src/consensus/electorate.ts";

const members = ["c", "a", "b"].map((id) => createMember({ id, group: "g" }).member);

describe("a panel that decides again", () => {
  it("is the same electorate, under the same digest", () => {
    const first = seatPanel(members, 1);
    expect(seatPanel(structuredClone(members), 1)).toBe(first);
    expect(first).toEqual(defineElectorate(members, 1));
    expect(electorateDigestOf(first)).toBe(electorateDigestOf(defineElectorate(members, 1)));
  });

  it.each([
    ["weight", { weight: 2 }],
    ["group", { group: "h" }],
    ["host", { host: "far" }],
    ["key", { publicKey: createMember({ id: "x" }).member.publicKey }],
    ["id", { id: "z" }],
  ])("is another one with another %s", (_, change) => {
    const first = seatPanel(members, 1);
    const [one, ...others] = members;
    const changed = [{ ...one, ...change } as (typeof members)[0], ...others];
    expect(seatPanel(changed, 1)).toEqual(defineElectorate(changed, 1));
    expect(seatPanel(changed, 1)).not.toEqual(first);
  });

  it("is another one in another epoch", () => {
    expect(seatPanel(members, 2)).toEqual({ ...seatPanel(members, 1), epoch: 2 });
  });

  it.each(["power", "constructor"])("is refused with a field that no member has: %s", (field) => {
    seatPanel(members, 1);
    const claiming = members.map((member) => ({ ...member, [field]: 9 }));
    expect(() => seatPanel(claiming, 1)).toThrow(expect.toSatisfy(isTroupeError) as Error);
  });

  it("cannot be changed from outside", () => {
    const own = members.map((member) => ({ ...member }));
    const electorate = seatPanel(own, 3);
    for (const member of own) member.weight = 5;
    expect(electorate.members.map(({ weight }) => weight)).toEqual([1, 1, 1]);
    expect(() => Object.assign(electorate.members[0] ?? {}, { weight: 5 })).toThrow(TypeError);
    expect(() => electorate.members.push(...own)).toThrow(TypeError);
  });
});
