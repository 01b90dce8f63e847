import { parseArgs } from "node:util";
import { runChaos } from "./chaos-run.ts";

/** `npm run test:chaos -- --seeds N [--from S] [--messages M]`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "8" },
      from: { type: "string", default: "1" },
      messages: { type: "string", default: "60000" },
    },
  });
  const [count, from, messages] = [Number(values.seeds), Number(values.from), Number(values.messages)];
  if (![count, from, messages].every((value) => Number.isSafeInteger(value) && value >= 1)) {
    process.stderr.write("--seeds, --from and --messages take whole numbers from 1\n");
    return 2;
  }
  const startedAt = performance.now();
  const findings: { seed: number; rule: string; message: string; replay: string }[] = [];
  let [resumes, duplicates, ran] = [0, 0, 0];
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runChaos({ seed, messages, limitMs: 120_000 });
    ran += 1;
    resumes += result.resumes;
    duplicates += result.duplicates;
    const replay = `npm run test:chaos -- --seeds 1 --from ${seed} --messages ${messages}`;
    for (const message of result.findings) findings.push({ seed, rule: "effectively once, in order", message, replay });
    process.stderr.write(`${JSON.stringify(result)}\n`);
  }
  // A campaign without a fault, or without a repeated message, has shown nothing.
  if (resumes === 0 || duplicates === 0) {
    const message = `${resumes} resumes, ${duplicates} repeats`;
    findings.push({ seed: from, rule: "the campaign harms", message, replay: "" });
  }
  const ms = Math.round(performance.now() - startedAt);
  const verdict = { campaign: "chaos", seeds: { from, count }, ran, ms, violations: findings.length, findings };
  process.stdout.write(`${JSON.stringify({ ...verdict, messages: ran * messages * 2, resumes, duplicates })}\n`);
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await run();
