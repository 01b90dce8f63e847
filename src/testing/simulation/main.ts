import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { commitOf } from "./commit.ts";
import { adversaries, features, membersMin, regimes, type PlanOverrides } from "./plan.ts";

/** Runs seeded schedules of mode bft: `npm run test:simulation -- --seeds N --from S`. */

/** Most schedules of one campaign. */
const seedsMax = 1_000_000_000;

const help = `npm run test:simulation -- [options]: seeded schedules of mode bft, each checked after every step

  --seeds N          how many schedules; default 5000
  --from S           the first seed; default 1
  --adversary NAME   ${adversaries.join(", ")}
  --regime NAME      how much weight is faulty: ${regimes.join(", ")}
  --members N        so many members at most, from ${membersMin} on
  --without A,B      leaves out: ${features.join(", ")}
  --acts N           most statements that faulty members make up

The last line on standard output is one JSON document. Status: 0 no property was broken, 1 one was, 2 a wrong option.
`;

class BadOption extends Error {}

function readNumber(name: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= seedsMax) return value;
  throw new BadOption(`--${name} ${text}: give a whole number from ${least} to ${seedsMax}`);
}

function readName<Name extends string>(name: string, text: string, known: readonly Name[]): Name {
  const found = known.find((each) => each === text);
  if (found === undefined) throw new BadOption(`--${name} ${text}: choose one of ${known.join(", ")}`);
  return found;
}

function readOptions(): { isHelp: boolean; seeds: { from: number; count: number }; overrides: PlanOverrides } {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      adversary: { type: "string" },
      regime: { type: "string" },
      without: { type: "string" },
      acts: { type: "string" },
      members: { type: "string" },
      help: { type: "boolean" },
    },
  });
  return {
    isHelp: values.help ?? false,
    seeds: { from: readNumber("from", values.from, 1, 0), count: readNumber("seeds", values.seeds, 5_000, 1) },
    overrides: {
      ...(values.adversary === undefined ? {} : { adversary: readName("adversary", values.adversary, adversaries) }),
      ...(values.regime === undefined ? {} : { regime: readName("regime", values.regime, regimes) }),
      ...(values.without === undefined
        ? {}
        : { without: values.without.split(",").map((text) => readName("without", text, features)) }),
      ...(values.members === undefined ? {} : { members: readNumber("members", values.members, 0, membersMin) }),
      ...(values.acts === undefined ? {} : { actsMax: readNumber("acts", values.acts, 0, 0) }),
    },
  };
}

function run(): number {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const { isHelp, seeds, overrides } = options;
  if (isHelp) {
    process.stdout.write(help);
    return 0;
  }
  const tell = (ran: number): void => void process.stderr.write(`${ran} of ${seeds.count} schedules\n`);
  const report = runCampaign(seeds, { ...overrides, ...(process.stderr.isTTY ? { tell } : {}) });
  const commit = report.violations === 0 ? undefined : commitOf(import.meta.dirname);
  const seen = commit === undefined ? "" : ` # seen on commit ${commit}`;
  for (const { seed, rule, message, replay } of report.findings) {
    process.stderr.write(`seed ${seed} breaks ${rule}: ${message}\n  ${replay}${seen}\n`);
  }
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.violations === 0 ? 0 : 1;
}

process.exitCode = run();
