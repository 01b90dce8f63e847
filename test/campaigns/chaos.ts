import { parseArgs } from "node:util";
import { chaosCodecs, runChaos, type ChaosCodec } from "./chaos-run.ts";

const help = `--seeds, --from and --messages take whole numbers from 1, --codec one of ${chaosCodecs.join(", ")}\n`;

function codecsOf(given: string | undefined): readonly ChaosCodec[] {
  return given === undefined ? chaosCodecs : chaosCodecs.filter((codec) => codec === given);
}

interface Finding {
  readonly seed: number;
  readonly rule: string;
  readonly message: string;
  readonly replay: string;
}

/**
 * `npm run test:chaos -- --seeds N [--from S] [--messages M] [--codec C]`: the last line of standard output is the
 * verdict. Without `--codec` one seed after another takes the next codec.
 */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "8" },
      from: { type: "string", default: "1" },
      messages: { type: "string", default: "60000" },
      codec: { type: "string" },
    },
  });
  const [count, from, messages] = [Number(values.seeds), Number(values.from), Number(values.messages)];
  const codecs = codecsOf(values.codec);
  if (![count, from, messages, codecs.length].every((value) => Number.isSafeInteger(value) && value >= 1)) {
    process.stderr.write(help);
    return 2;
  }
  const startedAt = performance.now();
  const findings: Finding[] = [];
  const harm = new Map<ChaosCodec, { readonly ran: number; readonly resumes: number; readonly duplicates: number }>();
  for (let seed = from; seed < from + count; seed += 1) {
    const codec = codecs[seed % codecs.length] as ChaosCodec;
    const result = await runChaos({ seed, messages, codec, limitMs: 120_000 });
    const { ran, resumes, duplicates } = harm.get(codec) ?? { ran: 0, resumes: 0, duplicates: 0 };
    harm.set(codec, {
      ran: ran + 1,
      resumes: resumes + result.resumes,
      duplicates: duplicates + result.duplicates,
    });
    const replay = `npm run test:chaos -- --seeds 1 --from ${seed} --messages ${messages} --codec ${codec}`;
    for (const message of result.findings) findings.push({ seed, rule: "effectively once, in order", message, replay });
    process.stderr.write(`${JSON.stringify(result)}\n`);
  }
  // A campaign without a fault, or without a repeated message, has shown nothing.
  for (const [codec, { resumes, duplicates }] of harm) {
    const message = `${codec}: ${resumes} resumes, ${duplicates} repeats`;
    if (resumes === 0 || duplicates === 0)
      findings.push({ seed: from, rule: "the campaign harms", message, replay: "" });
  }
  const sum = (field: "ran" | "resumes" | "duplicates"): number =>
    [...harm.values()].reduce((total, each) => total + each[field], 0);
  const ms = Math.round(performance.now() - startedAt);
  const verdict = { campaign: "chaos", seeds: { from, count }, ran: sum("ran"), ms, violations: findings.length };
  const counts = { messages: sum("ran") * messages * 2, resumes: sum("resumes"), duplicates: sum("duplicates") };
  process.stdout.write(`${JSON.stringify({ ...verdict, findings, ...counts, codecs: Object.fromEntries(harm) })}\n`);
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await run();
