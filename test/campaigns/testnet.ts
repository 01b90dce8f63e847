import { readOptions, tell } from "./options.ts";
import { runTestnet } from "./testnet-run.ts";

const command = {
  command: "test:testnet",
  what: "Four nodes decide, one question after the other, while they are disconnected, paused, killed and restarted.",
  plan: {
    seeds: { standard: 1, means: "how many seeds are run, one after another" },
    from: { standard: 1, means: "the first seed; a finding names its own" },
    steps: { standard: 8, means: "decisions of each seed" },
  },
} as const;

/** `npm run test:testnet`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const given = readOptions(command);
  if (!given.ok) return tell(given);
  const { seeds: count, from, steps } = given.numbers;
  const startedAt = performance.now();
  const findings: object[] = [];
  let [decisions, perturbed, evidence, repeated] = [0, 0, 0, 0];
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runTestnet({ seed, steps });
    process.stderr.write(`${JSON.stringify(result)}\n`);
    decisions += result.decisions;
    evidence += result.evidence;
    repeated += result.repeated;
    perturbed += Object.values(result.perturbed).reduce((sum, each) => sum + each, 0);
    const replay = `npm run test:testnet -- --seeds 1 --from ${seed} --steps ${steps}`;
    for (const message of result.findings) findings.push({ seed, message, replay });
  }
  const ms = Math.round(performance.now() - startedAt);
  const verdict = { campaign: "testnet", seeds: { from, count }, ms, violations: findings.length };
  const counts = { decisions, repeated, perturbed, evidence };
  process.stdout.write(`${JSON.stringify({ ...verdict, findings, ...counts })}\n`);
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await run();
