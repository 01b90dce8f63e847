import { chaosCodecs, runChaos, type ChaosCodec } from "./chaos-run.ts";
import { readOptions, tell } from "./options.ts";

const command = {
  command: "test:chaos",
  what: "Two nodes talk through a proxy that cuts, resets, truncates, swallows and delays: each message arrives once, in order.",
  plan: {
    seeds: { standard: 8, means: "how many seeds are run, one after another" },
    from: { standard: 1, means: "the first seed; a finding names its own" },
    messages: { standard: 60_000, means: "messages that each side sends, per seed" },
    codec: { names: chaosCodecs, means: "how frames are written; without it one seed after another takes the next" },
  },
} as const;

interface Finding {
  readonly seed: number;
  readonly rule: string;
  readonly message: string;
  readonly replay: string;
}

/** `npm run test:chaos`: the last line of standard output is the verdict. */
async function run(): Promise<number> {
  const given = readOptions(command);
  if (!given.ok) return tell(given);
  const { seeds: count, from, messages } = given.numbers;
  const codecs = chaosCodecs.filter((codec) => given.names["codec"] === undefined || codec === given.names["codec"]);
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
