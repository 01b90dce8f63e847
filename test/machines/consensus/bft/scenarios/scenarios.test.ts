import { describe, expect, test } from "vitest";
import { scenarios } from "./scenarios.ts";
import { play, written } from "./transcript.ts";

describe("CometBFT's scenarios, told to one member", () => {
  for (const scenario of scenarios) {
    test(`${scenario.name}: ${scenario.shows}`, () => {
      expect(play(scenario)).toBe(written(scenario));
    });
  }

  test("a line that nobody understands is no line", () => {
    for (const line of ["p0: shout A", "begin", "p0 propose A", "count"])
      expect(() => play({ script: `${line} => nothing` })).toThrow();
  });
});
