import { describe, expect, it } from "vitest";
import type { Said } from "../../src/consensus/elsewhere/distant.ts";
import { StraightWays, waysAskedMax } from "../../src/consensus/elsewhere/ways.ts";

const places = [null, { node: "north", path: "/voter/1" }];

function said(message: number): Said {
  return { decision: "00".repeat(32), from: 0, message };
}

function open(answer: () => Promise<boolean>) {
  const asked: unknown[] = [];
  const told: unknown[] = [];
  const link = { isUp: true };
  const ways = new StraightWays(places, {
    wayTo: ({ node, path }) => ({
      ask: ({ message }) => {
        asked.push(`${node}${path}: ${String(message)}`);
        return answer();
      },
      say: ({ message }) => link.isUp && told.push(message) > 0,
    }),
  });
  return { ways, asked, told, link };
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the straight way to a member", () => {
  it("is taken when the other side has said over it that it takes part, and while it is up", async () => {
    const { ways, asked, told, link } = open(() => Promise.resolve(true));
    expect([ways.say(1, said(1)), ways.say(1, said(2))]).toEqual([false, false]);
    expect(asked).toEqual(["north/voter/1: 1"]);
    await later();
    expect(ways.say(1, said(3))).toBe(true);
    link.isUp = false;
    expect(ways.say(1, said(4))).toBe(false);
    expect(told).toEqual([3]);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ["takes no part", () => Promise.resolve(false)],
    ["cannot be asked", () => Promise.reject(new Error("no link"))],
  ])("is not taken to one that %s, which is asked a few times", async (_what, answer) => {
    const { ways, asked, told } = open(answer);
    for (let turn = 0; turn < 2 * waysAskedMax; turn += 1) {
      expect(ways.say(1, said(turn))).toBe(false);
      await later();
    }
    expect(asked).toHaveLength(waysAskedMax);
    expect(told).toEqual([]);
  });

  it("is not looked for where the one that asks knows no place, or this process no way", () => {
    expect(open(() => Promise.resolve(true)).ways.say(0, said(1))).toBe(false);
    expect(new StraightWays(places, {}).say(1, said(1))).toBe(false);
    expect(new StraightWays(places, { wayTo: () => undefined }).say(1, said(1))).toBe(false);
  });
});
