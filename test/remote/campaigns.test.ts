import { describe, expect, test } from "vitest";
import { stepSession } from "../../machines/session/step.ts";
import { runChaos } from "../campaigns/chaos-run.ts";
import { floodDoor, runFuzz } from "../campaigns/fuzz-run.ts";
import { runSockets } from "../campaigns/fuzz-sockets.ts";
import { readOptions } from "../campaigns/options.ts";

describe("a short campaign", () => {
  test("of chaos: messages both ways through a harmful proxy arrive once and in order, also those sent again", async () => {
    const result = await runChaos({ seed: 1, messages: 6_000, limitMs: 60_000 });
    expect(result.findings).toEqual([]);
    expect(result.resumes).toBeGreaterThan(0);
    expect(result.duplicates).toBeGreaterThan(0);
  });

  test.each(["msgpack", "changing"] as const)("of chaos, with frames in the codec: %s", async (codec) => {
    const result = await runChaos({ seed: 1, messages: 20_000, limitMs: 60_000, codec });
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
    const result = await runChaos({ seed: 1, messages: 60_000, limitMs: 60_000, step: careless });
    expect(result.findings.join()).toMatch(/arrived where \d+ was due/);
  });

  test("of hostile frames: each gets what it has coming, nothing is left, and an honest link does not notice", async () => {
    const result = await runFuzz({ frames: 6_000, seed: 2 });
    expect(result.findings).toEqual([]);
    for (const codec of ["json", "msgpack"])
      for (const outcome of ["accepted", "ignored", 4400, 4401, 4413])
        expect(result.outcomes, "seed 2").toHaveProperty([`${codec} ${outcome}`]);
  });

  test("of hostile clients on real sockets: breaches, oversize, the slow and a flood get their code in time, and are gone", async () => {
    const result = await runSockets({ frames: 200, seed: 3 });
    expect(result.findings).toEqual([]);
    expect(result.frames).toBeGreaterThanOrEqual(200);
  });

  test("of silent connections: a few wait, the others are sent away, and all are forgotten", () => {
    expect(floodDoor(500)).toEqual({ waiting: 32, refused: 468, left: 0 });
  });
});

describe("the command of a campaign", () => {
  const plan = {
    frames: { standard: 7, means: "how many" },
    codec: { names: ["json", "msgpack"], means: "how they are written" },
  } as const;
  const read = (...args: string[]) => readOptions({ command: "test:x", what: "What it does.", plan }, args);

  test("takes its numbers and names, and has a standard for what is not given", () => {
    expect(read("--codec", "json")).toEqual({ ok: true, numbers: { frames: 7 }, names: { codec: "json" } });
    expect(read("--frames", "9")).toMatchObject({ numbers: { frames: 9 }, names: {} });
  });

  test("says with --help what each option means, and runs nothing", () => {
    const told = read("--help");
    expect(told).toMatchObject({ ok: false, code: 0 });
    expect("text" in told && told.text).toMatch(
      /npm run test:x[^]+--frames N\n +how many \(7\)[^]+--codec json\|msgpack/,
    );
  });

  test.each([["--nope", "1"], ["--frames"], ["--frames", "0"], ["--frames", "x"], ["--codec", "morse"], ["more"]])(
    "answers %s %s with one line, and exit code 2",
    (...args) => {
      const told = read(...args.filter((arg) => arg !== undefined));
      expect(told).toMatchObject({ ok: false, code: 2 });
      expect("text" in told && told.text).toMatch(/^[^\n]+--help says what there is\n$/);
    },
  );
});
