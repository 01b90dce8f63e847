import { describe, expect, test } from "vitest";
import { stepSession } from "../../machines/session/step.ts";
import { runChaos } from "../campaigns/chaos-run.ts";
import { floodDoor, runFuzz } from "../campaigns/fuzz-run.ts";

describe("a short campaign", () => {
  test("of chaos: messages both ways through a harmful proxy arrive once and in order, also those sent again", async () => {
    const result = await runChaos({ seed: 1, messages: 6_000, limitMs: 15_000 });
    expect(result.findings).toEqual([]);
    expect(result.resumes).toBeGreaterThan(0);
    expect(result.duplicates).toBeGreaterThan(0);
  });

  test.each(["msgpack", "changing"] as const)("of chaos, with frames in the codec: %s", async (codec) => {
    const result = await runChaos({ seed: 1, messages: 20_000, limitMs: 15_000, codec });
    expect(result.findings).toEqual([]);
    expect([result.resumes > 0, result.duplicates > 0]).toEqual([true, true]);
  });

  test("of chaos finds a machine that forgets to drop what it has", async () => {
    const careless: typeof stepSession = (state, input) => {
      const [next, effects] = stepSession(state, input);
      if (input.type !== "frame" || input.frame.t !== "M" || input.pipe !== state.pipe) return [next, effects];
      const again = input.frame.m.filter(({ s }) => s <= state.recv);
      return [next, [...again.map((envelope) => ({ type: "deliver", envelope }) as const), ...effects]];
    };
    const result = await runChaos({ seed: 1, messages: 60_000, limitMs: 15_000, step: careless });
    expect(result.findings.join()).toMatch(/arrived where \d+ was due/);
  });

  test("of hostile frames: each gets its code, nothing is left, and an honest link does not notice", async () => {
    const result = await runFuzz({ frames: 10_000, seed: 2 });
    expect(result.findings).toEqual([]);
    for (const codec of ["json", "msgpack"])
      expect(Object.keys(result.codes)).toEqual(
        expect.arrayContaining([`${codec} 4400`, `${codec} 4401`, `${codec} 4413`]),
      );
  });

  test("of silent connections: a few wait, the others are sent away, and all are forgotten", () => {
    expect(floodDoor(500)).toEqual({ waiting: 32, refused: 468, left: 0 });
  });
});
