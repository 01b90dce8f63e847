import { simulate } from "troupe/testing";
import { describe, expect, it } from "vitest";

describe("simulate, as users have it", () => {
  it("gives plain data that follows from the seed alone", () => {
    const first = simulate(7);
    expect(simulate({ seed: 7 })).toEqual(first);
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    expect(simulate(8).traceHash).not.toBe(first.traceHash);
    expect(first).toMatchObject({ seed: 7, violation: null, replay: expect.stringContaining("--from 7") });
  });

  it("takes the adversary, the faulty weight and what to leave out", () => {
    const silent = simulate({ seed: 11, adversary: "silent", regime: "edge", without: ["crashes", "drops"] });
    expect(silent).toMatchObject({ adversary: "silent", regime: "edge", isDecided: false, isSplit: false });
    expect(silent.faulty.length).toBeGreaterThan(0);
    expect(silent.replay).toContain("--adversary silent --regime edge --without crashes,drops");
    const within = simulate({ seed: 11, adversary: "silent", regime: "within" });
    const few = simulate({ seed: 11, members: 4 });
    expect(few.weights).toHaveLength(4);
    expect(few.replay).toContain("--members 4");
    expect(within).toMatchObject({ isDecided: true, isSplit: false, violation: null });
  });

  it.each([
    [-1, "seed is -1"],
    [0.5, "seed is 0.5"],
    [{ seed: 1, adversary: "rain" }, 'adversary is "rain"; use one of crash, silent'],
    [{ seed: 1, regime: "far" }, 'regime is "far"; use one of within, edge, beyond'],
    [{ seed: 1, members: 3 }, "members is 3"],
    [{ seed: 1, without: ["rain"] }, 'without is "rain"'],
  ])("refuses %j with the way out", (given, message) => {
    expect(() => simulate(given as number)).toThrow(message);
  });
});
