import { parseArgs } from "node:util";
import { runCrash } from "./crash-run.ts";

/** Orders that are begun for each life, on average. */
const ordersPerKill = 12;

/** `npm run test:crash -- --kills N [--from SEED]`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: { kills: { type: "string", default: "50" }, from: { type: "string", default: "1" } },
  });
  const [kills, from] = [Number(values.kills), Number(values.from)];
  if (![kills, from].every((value) => Number.isSafeInteger(value) && value >= 1)) {
    process.stderr.write("--kills and --from take whole numbers from 1\n");
    return 2;
  }
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
