import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Report, Suite } from "../suite.ts";
import { formatFigure, rowsTable, targetsTable, toMarkdown } from "./format.ts";

const head = `# Benchmark results

Written by the full runs; each suite writes its own part. Absolute figures belong to the machine they were taken on; the
ratios are what is promised.
`;

function readOld(file: URL): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return head;
    throw error;
  }
}

/** The part of one suite, in Markdown. */
export function renderPart(suite: Suite, report: Report): string {
  const pressure =
    report.cpuPressure === null
      ? "unknown"
      : `${formatFigure(report.cpuPressure)} % of the time something waited for a CPU`;
  const processors = cpus();
  return `## ${suite.name}

\`npm run bench -- ${suite.name}\` on ${new Date().toISOString().slice(0, 10)}: Node.js ${report.nodeVersion}, ${processors.length} × ${processors[0]?.model.trim() ?? "unknown CPU"}, ${report.repeats} rounds, CPU pressure ${pressure}.

${suite.method}

### Targets

${toMarkdown(targetsTable(report))}

### Figures

${toMarkdown(rowsTable(report))}
`;
}

/** Puts the part of one suite into the text of the results, in place of its last one. */
export function replacePart(old: string, name: string, part: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  const block = `${begin}\n${part}${end}\n`;
  if (from === -1) return `${old.trimEnd()}\n\n${block}`;
  if (to < from) throw new Error(`bench/RESULTS.md: ${end} is missing or stands before ${begin}`);
  return `${old.slice(0, from)}${block}${old.slice(to + end.length).trimStart()}`;
}

export function writeResults(suite: Suite, report: Report): void {
  const file = new URL("../RESULTS.md", import.meta.url);
  writeFileSync(file, replacePart(readOld(file), suite.name, renderPart(suite, report)));
}
