import { floodDoor, runFuzz, type FuzzResult } from "./fuzz-run.ts";
import { runSockets } from "./fuzz-sockets.ts";
import { readOptions, tell } from "./options.ts";

/** Of all frames so many, at most, are also said through real sockets, which takes a hundred times as long. */
const socketFramesMax = 2_000;

const command = {
  command: "test:fuzz",
  what: `Hostile frames against a node: each gets what the specification says, nothing is left, nothing grows. Up to ${socketFramesMax} more go through real sockets.`,
  plan: {
    frames: { standard: 1_000_000, means: "frames that hostile clients say, honest ones between them included" },
    from: { standard: 1, means: "the seed, which all frames are drawn from" },
  },
} as const;

/** Fewer frames than this need not have come to everything. */
const tellingFrames = 50_000;

/** A campaign in which nothing was refused, or nothing got through, has shown nothing. */
function findUnseen({ frames, outcomes }: FuzzResult): string[] {
  const wanted = ["json", "msgpack"].flatMap((codec) =>
    ["accepted", "ignored", 4400, 4401, 4406, 4413].map((outcome) => `${codec} ${outcome}`),
  );
  const unseen = wanted.filter((outcome) => outcomes[outcome] === undefined && frames >= tellingFrames);
  return unseen.map((outcome) => `no frame came to: ${outcome}`);
}

/** `npm run test:fuzz`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const given = readOptions(command);
  if (!given.ok) return tell(given);
  const { frames, from } = given.numbers;
  // A million frames make two million errors that nobody reads; their stacks take a quarter of the time.
  Error.stackTraceLimit = 0;
  const startedAt = performance.now();
  const result = await runFuzz({ frames, seed: from });
  const flood = floodDoor(5_000);
  const sockets = await runSockets({ frames: Math.min(frames, socketFramesMax), seed: from });
  process.stderr.write(`${JSON.stringify({ ...result, flood, sockets })}\n`);
  const messages = [...result.findings, ...findUnseen(result), ...sockets.findings.map((one) => `by socket: ${one}`)];
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
