import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  defaultIntensity,
  emptyWindow,
  recordRestart,
  type Intensity,
} from "../../../machines/supervision/restart-window.ts";
import { affectedChildren, shouldRestart, shouldShutDown } from "../../../machines/supervision/strategy.ts";

describe("the restart window", () => {
  test("OTP's default: one restart in five seconds, counted per supervisor", () => {
    expect(defaultIntensity).toEqual({ restarts: 1, withinMs: 5_000, per: "supervisor" });
  });

  test("a restart is allowed exactly when no more than the intensity fall into the period that ends with it", () => {
    fc.assert(
      fc.property(
        fc.record({ restarts: fc.nat(5), withinMs: fc.integer({ min: 1, max: 100 }) }),
        fc.array(fc.nat(60), { maxLength: 50 }),
        ({ restarts, withinMs }, waits) => {
          const intensity: Intensity = { restarts, withinMs, per: "child" };
          let [window, now] = [emptyWindow, 0];
          const all: number[] = [];
          for (const wait of waits) {
            now += wait;
            all.push(now);
            const recorded = recordRestart(window, now, intensity);
            const recent = all.filter((at) => at >= now - withinMs);
            expect(recorded.allowed).toBe(recent.length <= restarts);
            // Nothing that is too old to count is kept.
            expect(recorded.window).toEqual(recent);
            window = recorded.window;
          }
        },
      ),
    );
  });

  test("recording leaves the window before as it was", () => {
    const before = Object.freeze([1, 2]);
    recordRestart(before, 3, { restarts: 9, withinMs: 10, per: "child" });
    expect(before).toEqual([1, 2]);
  });
});

describe("strategies", () => {
  test.each([
    ["one-for-one", 1, 4, [1]],
    ["one-for-all", 1, 4, [0, 1, 2, 3]],
    ["rest-for-one", 1, 4, [1, 2, 3]],
    ["rest-for-one", 0, 3, [0, 1, 2]],
    ["rest-for-one", 3, 4, [3]],
    ["one-for-all", 0, 1, [0]],
  ] as const)("%s: when child %d of %d fails, %j are concerned", (strategy, failed, count, expected) => {
    expect(affectedChildren(strategy, failed, count)).toEqual(expected);
  });

  test.each([
    ["permanent", "crashed", true],
    ["permanent", "stopped", true],
    ["transient", "crashed", true],
    ["transient", "stopped", false],
    ["temporary", "crashed", false],
    ["temporary", "stopped", false],
  ] as const)("a %s child that %s is restarted: %s", (restart, exit, expected) => {
    expect(shouldRestart(restart, exit)).toBe(expected);
  });

  test.each([
    ["never", true, 0, false],
    ["any-significant", true, 3, true],
    ["any-significant", false, 0, false],
    ["all-significant", true, 1, false],
    ["all-significant", true, 0, true],
    ["all-significant", false, 0, false],
  ] as const)(
    "%s, significant %s, %d significant left: shuts down %s",
    (auto, significant, significantLeft, expected) => {
      expect(shouldShutDown(auto, { significant, significantLeft })).toBe(expected);
    },
  );
});
