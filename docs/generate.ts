import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { charts } from "./generators/charts.ts";
import { closeCodeTable } from "./generators/close-codes.ts";
import { errorCodes } from "./generators/error-codes.ts";
import { faultTable } from "./generators/faults.ts";
import type { Generator } from "./generators/generator.ts";
import { importRules } from "./generators/import-rules.ts";
import { limits } from "./generators/limits.ts";
import { scenarioTable } from "./generators/scenarios.ts";
import { workflowSchema } from "./generators/workflow-schema.ts";
import { mutationTable } from "./generators/mutants.ts";
import { thresholds } from "./generators/thresholds.ts";

/** What `npm run docs` writes; a new document is one file in `docs/generators/` and one name here. */
export const generators: readonly Generator[] = [
  errorCodes,
  limits,
  charts,
  thresholds,
  importRules,
  mutationTable,
  faultTable,
  scenarioTable,
  workflowSchema,
  closeCodeTable,
];

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function readOld(file: string): string | undefined {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts `text` between the markers of `old`; throws where `old` has none, so that a lost marker is noticed. */
export function replaceBetween(old: string, marker: string, text: string): string {
  const [begin, end] = [`<!-- ${marker}:begin -->`, `<!-- ${marker}:end -->`];
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the markers ${begin} and ${end} are missing or in the wrong order`);
  return `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`;
}

/** Renders one document and says whether the file on disk already holds exactly that. */
export async function renderDocument(generator: Generator): Promise<{ text: string; fresh: boolean }> {
  const old = readOld(generator.file);
  const part = await generator.render();
  const text = generator.marker === undefined ? part : replaceBetween(old ?? "", generator.marker, part);
  return { text, fresh: text === old };
}

async function run(check: boolean): Promise<number> {
  let stale = 0;
  for (const generator of generators) {
    const { text, fresh } = await renderDocument(generator);
    if (fresh) continue;
    stale += 1;
    if (!check) writeFileSync(join(root, generator.file), text);
    console.log(check ? `${generator.file} is stale; run \`npm run docs\` and commit it` : `wrote ${generator.file}`);
  }
  if (stale === 0) console.log(`${generators.length} generated documents are up to date`);
  return check && stale > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await run(process.argv.includes("--check"));
