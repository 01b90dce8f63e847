import fc from "fast-check";
import { defineAgent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { candidatesMax, selectors, strategies, type Strategy } from "../../src/dispatch/selection.ts";
import type { Cell } from "../../src/system/cell.ts";
import { pass } from "../system/scene.ts";
import { openDesk, type Desk } from "./desk.ts";

type Select = (typeof selectors)[Strategy];

/** The policies that a policy must be told apart from: it is worth nothing if one of these does as well. */
const neutral: { readonly [name: string]: Select } = {
  "in turn": (cells, input) => cells[input.turn % cells.length],
  "by chance": (cells, input) => cells[Math.floor(input.chance() * cells.length)],
  "the first": (cells) => cells[0],
};

/** Plays with the policy replaced by another one. */
async function mutated<Result>(strategy: Strategy, by: Select, play: () => Promise<Result>): Promise<Result> {
  const table = selectors as Record<Strategy, Select>;
  const kept = table[strategy];
  table[strategy] = by;
  try {
    return await play();
  } finally {
    table[strategy] = kept;
  }
}

/** How long each agent's handler takes, by its path; negative: it fails after so long. */
type Pace = (path: string, turn: number) => number;

function worker(desk: Desk, pace: Pace, name = "worker") {
  let turn = 0;
  const served: string[] = [];
  const agent = defineAgent({
    name,
    capabilities: {
      work: {
        breaker: false,
        input: z.object({}),
        output: z.string(),
        async run({ agent: { path }, fail }) {
          served.push(path);
          const ms = pace(path, (turn += 1));
          await pass(desk.clock, Math.abs(ms));
          return ms < 0 ? fail("work/failed", "no luck") : path;
        },
      },
    },
  });
  return { agent, served };
}

function share(served: readonly string[], path: string): number {
  return served.filter((each) => each === path).length / served.length;
}

/** A scene for each policy, and what must hold of who served whom. */
const scenes: {
  readonly [Name in Strategy]: { play(): Promise<readonly string[]>; holds(served: readonly string[]): boolean };
} = {
  "round-robin": {
    async play() {
      await using desk = await openDesk({ strategy: "round-robin" });
      const { agent, served } = worker(desk, () => 10);
      await desk.troupe.spawn(agent, { count: 3 });
      for (let call = 0; call < 9; call += 1) await desk.after(10, desk.troupe.call("work", {}));
      return served;
    },
    holds: (served) =>
      [1, 2, 3].every((n) => served.filter((path) => path === `/worker/${n}`).length === 3) &&
      new Set(served.slice(0, 3)).size === 3,
  },
  "least-loaded": { play: () => playLoad("least-loaded"), holds: isEven },
  balanced: { play: () => playLoad("balanced"), holds: isEven },
  "power-of-two": {
    async play() {
      await using desk = await openDesk({ strategy: "power-of-two" });
      const { agent, served } = worker(desk, (path) => (path === "/worker/1" ? 200 : 10));
      const refs = await desk.troupe.spawn(agent, { count: 4 });
      await desk.after(200, Promise.all(refs.map((ref) => ref.call("work", {}))));
      served.length = 0;
      for (let call = 0; call < 100; call += 1) await desk.after(200, desk.troupe.call("work", {}));
      return served;
    },
    // Both draws fall on the slow one of four in one case of sixteen; one draw alone would in one of four.
    holds: (served) =>
      share(served, "/worker/1") < 0.15 && ["2", "3", "4"].every((n) => share(served, `/worker/${n}`) > 0.1),
  },
  specialised: {
    async play() {
      await using desk = await openDesk({ strategy: "specialised" });
      const { agent, served } = worker(desk, (path, turn) => (path === "/worker/1" && turn < 9 ? -10 : 10));
      const broad = defineAgent({
        name: "broad",
        capabilities: {
          ...Object.fromEntries(
            ["play", "rest"].map((name) => [name, { input: z.object({}), output: z.string(), run: () => name }]),
          ),
          work: {
            input: z.object({}),
            output: z.string(),
            run({ agent: { path } }) {
              served.push(path);
              return path;
            },
          },
        },
      });
      await desk.troupe.spawn(broad);
      const refs = await desk.troupe.spawn(agent, { count: 2 });
      for (const ref of refs) for (let call = 0; call < 4; call += 1) await desk.after(10, ref.call("work", {}));
      served.length = 0;
      for (let call = 0; call < 12; call += 1) await desk.after(10, desk.troupe.call("work", {}));
      return served;
    },
    // The one with the fewest other capabilities and the better record.
    holds: (served) => share(served, "/worker/2") === 1,
  },
  adaptive: {
    async play() {
      await using desk = await openDesk({ strategy: "adaptive" });
      // The first is fast and mostly fails, the second steady, the third slow.
      const { agent, served } = worker(desk, (path, turn) =>
        path === "/worker/1" ? (turn % 5 === 0 ? 10 : -10) : path === "/worker/2" ? 30 : 300,
      );
      const refs = await desk.troupe.spawn(agent, { count: 3 });
      for (const ref of refs) for (let call = 0; call < 5; call += 1) await desk.after(300, ref.call("work", {}));
      served.length = 0;
      for (let call = 0; call < 20; call += 1) await desk.after(300, desk.troupe.call("work", {}));
      return served;
    },
    holds: (served) => share(served, "/worker/2") > 0.9,
  },
};

/** Two agents are busy for long; ten calls come at once. */
async function playLoad(strategy: Strategy): Promise<readonly string[]> {
  await using desk = await openDesk({ strategy });
  const { agent, served } = worker(desk, (_path, turn) => (turn <= 2 ? 10_000 : 10));
  const refs = await desk.troupe.spawn(agent, { count: 4 });
  for (const ref of refs.slice(0, 2)) void ref.call("work", {});
  await desk.clock.settle();
  served.length = 0;
  for (let call = 0; call < 10; call += 1) void desk.troupe.call("work", {});
  await desk.clock.advance(1_000);
  return served;
}

/** The idle ones serve six of the ten within the second, three each: the other four wait behind the busy ones. */
function isEven(served: readonly string[]): boolean {
  const idle = ["/worker/3", "/worker/4"].map((path) => served.filter((each) => each === path).length);
  return idle[0] === 3 && idle[1] === 3;
}

describe.each(strategies)("%s", (strategy) => {
  const scene = scenes[strategy];

  test("does what it promises", async () => {
    const served = await scene.play();
    expect(scene.holds(served), served.join(" ")).toBe(true);
  });

  test.each(Object.entries(neutral).filter(([name]) => !(strategy === "round-robin" && name === "in turn")))(
    "is not the same as choosing %s: its test fails when it is neutralised",
    async (_name, by) => {
      const served = await mutated(strategy, by, () => scene.play());
      expect(scene.holds(served), served.join(" ")).toBe(false);
    },
  );
});

describe("every policy", () => {
  const cellsOf = (count: number): readonly Cell[] =>
    Array.from(
      { length: count },
      (_, index) => ({ index, running: 0, queued: 0, behaviour: { skills: new Map() } }) as unknown as Cell,
    );

  test("chooses a usable agent wherever there is one, among any number", () => {
    fc.assert(
      fc.property(
        fc.record({
          strategy: fc.constantFrom(...strategies),
          count: fc.integer({ min: 1, max: 4 * candidatesMax }),
          turn: fc.nat(),
          chances: fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })),
          isUsable: fc.func(fc.boolean()),
        }),
        ({ strategy, count, turn, chances, isUsable }) => {
          const cells = cellsOf(count);
          const usable = (cell: Cell): boolean => isUsable((cell as unknown as { index: number }).index);
          const chosen = selectors[strategy](cells, { turn, usable, chance: () => chances.next().value as number });
          expect(chosen === undefined).toBe(!cells.some(usable));
          if (chosen !== undefined) expect(usable(chosen)).toBe(true);
        },
      ),
    );
  });

  test("looks at no more agents than it may while some of them are usable", () => {
    for (const strategy of strategies) {
      let looked = 0;
      const usable = (): boolean => {
        looked += 1;
        return true;
      };
      selectors[strategy](cellsOf(10_000), { turn: 9_990, usable, chance: () => 0.5 });
      expect(looked, strategy).toBeLessThanOrEqual(candidatesMax + 2);
    }
  });
});
