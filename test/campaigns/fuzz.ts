import { parseArgs } from "node:util";
import { floodDoor, runFuzz } from "./fuzz-run.ts";

/** `npm run test:fuzz -- --frames N [--from S]`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: { frames: { type: "string", default: "1000000" }, from: { type: "string", default: "1" } },
  });
  const [frames, from] = [Number(values.frames), Number(values.from)];
  if (![frames, from].every((value) => Number.isSafeInteger(value) && value >= 1)) {
    process.stderr.write("--frames and --from take whole numbers from 1\n");
    return 2;
  }

  const startedAt = performance.now();
  const result = await runFuzz({ frames, seed: from });
  const flood = floodDoor(5_000);
  process.stderr.write(`${JSON.stringify({ ...result, flood })}\n`);
  const messages = [...result.findings];
  // A campaign in which nothing was refused, or nothing got through, has shown nothing.
  const wanted = ["json", "msgpack"].flatMap((codec) => [1000, 4400, 4413, 4406].map((code) => `${codec} ${code}`));
  for (const code of wanted)
    if (result.codes[code] === undefined && frames >= 10_000) messages.push(`no visit ended with ${code}`);
  if (flood.waiting + flood.refused !== 5_000 || flood.waiting > 32 || flood.left > 0)
    messages.push(`a flood left ${flood.left}, with ${flood.waiting} waiting`);
  const replay = `npm run test:fuzz -- --frames ${frames} --from ${from}`;
  const findings = messages.map((message) => ({ seed: from, rule: "hostile input has no effect", message, replay }));
  const ms = Math.round(performance.now() - startedAt);
  const seeds = { from, count: 1 };
  process.stdout.write(
    `${JSON.stringify({ campaign: "fuzz", seeds, ran: result.frames, ms, violations: findings.length, findings })}\n`,
  );
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await run();
