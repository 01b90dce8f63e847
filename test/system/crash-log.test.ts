import { FakeClock } from "troupe/testing";
import { expect, test } from "vitest";
import { failure } from "../../machines/failure.ts";
import type { Log } from "../../src/ports/log.ts";
import { CrashLog, crashLinesMax } from "../../src/system/crash-log.ts";
import { council, play } from "./scene.ts";

test("every crash is logged once, with its agent, its cause and where it came from", async () => {
  const lines: Parameters<Log["write"]>[] = [];
  await play(council("a"), async ({ tell }) => void (await tell("a", "crash")), {
    log: { write: (...line) => lines.push(line) },
  });
  expect(lines).toMatchObject([
    [
      "error",
      "agent /council/a crashed: Error: boom",
      { agent: "/council/a", code: "agent/crashed", cause: "Error: boom", suppressedBefore: 0 },
    ],
  ]);
});

test("a storm of crashes is logged at a bounded rate, and says how many lines it left out", async () => {
  const clock = new FakeClock();
  const suppressed: unknown[] = [];
  const log = new CrashLog(clock, {
    write: (_level, _message, fields) => suppressed.push(fields?.["suppressedBefore"]),
  });
  const crash = (): void => log.write("/a", failure("agent/crashed", "boom"));
  for (let turn = 0; turn < 1_000; turn += 1) crash();
  expect(suppressed).toEqual(Array.from({ length: crashLinesMax }, () => 0));
  await clock.advance(1_000);
  crash();
  crash();
  expect(suppressed.slice(crashLinesMax)).toEqual([1_000 - crashLinesMax, 0]);
});
