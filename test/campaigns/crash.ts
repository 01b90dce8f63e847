import { runCrash } from "./crash-run.ts";
import { readOptions, tell } from "./options.ts";

/** Orders that are begun for each life, on average. */
const ordersPerKill = 12;

const command = {
  command: "test:crash",
  what: "Workflows whose process is killed again and again: no run is lost, and each step is done once.",
  plan: {
    kills: { standard: 50, means: "how often the process is killed" },
    from: { standard: 1, means: "the seed, which the moments of the kills are drawn from" },
  },
} as const;

/** `npm run test:crash`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const given = readOptions(command);
  if (!given.ok) return tell(given);
  const { kills, from } = given.numbers;
  const startedAt = performance.now();
  const result = await runCrash({
    seed: from,
    kills,
    ordersMax: kills * ordersPerKill,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const found = [...result.findings];
  // A campaign that repeated nothing has interrupted nothing.
  if (result.repeats === 0) found.push({ rule: "the campaign harms", message: "no call was repeated after a kill" });
  const replay = `npm run test:crash -- --kills ${kills} --from ${from}`;
  const findings = found.map((finding) => ({ seed: from, ...finding, replay }));
  const { findings: _found, ...counts } = result;
  const ms = Math.round(performance.now() - startedAt);
  const verdict = {
    campaign: "crash",
    seeds: { from, count: 1 },
    ran: kills,
    ms,
    violations: findings.length,
    findings,
  };
  process.stdout.write(`${JSON.stringify({ ...verdict, ...counts })}\n`);
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await run();
