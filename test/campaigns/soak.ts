import { readOptions, tell } from "./options.ts";
import { runSoak } from "./soak-run.ts";

const command = {
  command: "test:soak",
  what: "Two troupes that are busy with each other over a line that breaks: memory and open handles stay as they are.",
  plan: {
    minutes: { standard: 30, means: "how long, at least" },
    from: { standard: 1, means: "the seed of what is left to chance" },
  },
} as const;

/** `npm run test:soak`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const given = readOptions(command);
  if (!given.ok) return tell(given);
  const { minutes, from: seed } = given.numbers;
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const result = await runSoak({ seed, minutes, progress });
  const replay = `npm run test:soak -- --minutes ${minutes} --from ${seed}`;
  const findings = result.findings.map((finding) => ({ seed, ...finding, replay }));
  const { rounds, ms, heapGrowth, counts } = result;
  const seeds = { from: seed, count: 1 };
  const verdict = { campaign: "soak", seeds, ran: rounds, ms, violations: findings.length, findings };
  process.stdout.write(`${JSON.stringify({ ...verdict, heapGrowth, counts })}\n`);
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await run();
