import { type Check, countOf, type Finding, measured, notApplicable, type Tools, unavailable } from "../check.ts";
import { sourceFiles } from "../project/files.ts";
import type { SourceText } from "../project/source.ts";
import { isPublished } from "../project/standing.ts";

/** Equal lines in a row that count as a copy. Shorter runs are idiom; jscpd's default of 5 lines finds mostly those. */
const copyLinesMin = 12;
/** A line counts when it has this many characters that are not punctuation: braces and commas repeat by nature. */
const wordCharactersMin = 4;
/** Characters of words that a copy must have in all, so that a column of short entries is not one. */
const copyCharactersMin = 240;
/** Shares of copied lines from which the whole, not the place, is the problem. */
const muchCopiedShare = 0.1;
const mostlyCopiedShare = 0.25;
/** Lines compared in one survey; beyond it the rest is not compared, and the figure says how many were. */
const comparedLinesMax = 400_000;
/** Places with the same window that are compared with each other; more are generated text. */
const sameWindowMax = 20;

interface Line {
  readonly file: number;
  readonly number: number;
  readonly text: string;
  /** Lines of different builds are not compared with each other. */
  readonly build: string;
}

export const duplication: Check = {
  id: "duplication",
  title: "copied code",
  weight: 1.5,
  scale: "size",
  async examine(tools) {
    const { survey, pace } = tools;
    const files = sourceFiles(survey.files);
    if (files.length === 0) return notApplicable("no source code");
    if (survey.builtOnly) return unavailable("copies in build output come from the build");
    const published = isPublished(survey);
    const lines: Line[] = [];
    for (const [index, file] of files.entries()) {
      await pace.breathe();
      const source = await survey.text(file);
      if (source === undefined || source.machineMade || lines.length >= comparedLinesMax) continue;
      // A published package carries one module in several builds, each in a folder of its own at the root.
      const build = published ? file.path.slice(0, file.path.indexOf("/") + 1) : "";
      for (const [number, text] of significantLines(source)) lines.push({ file: index, number, text, build });
    }
    const { copies, copied } = await findCopies(lines, tools);
    const share = lines.length === 0 ? 0 : copied / lines.length;
    const findings = copies.map(({ first, second, length }): Finding => {
      const from = `${files[second.file]?.path ?? ""}:${second.number}`;
      return {
        rule: "maintainability/copied-code",
        severity: "low",
        message: `The same code stands at ${from}: keep it once.`,
        file: files[first.file]?.path ?? "",
        line: first.number,
        figure: `${length} equal lines`,
      };
    });
    const figure = `${Math.round(share * 1_000) / 10} % of ${countOf(lines.length, "compared line")} copied`;
    if (share >= muchCopiedShare && lines.length >= copyLinesMin * 10) {
      findings.unshift({
        rule: "maintainability/much-copied",
        severity: share >= mostlyCopiedShare ? "high" : "medium",
        message: "Much of the code is copied: a fault has to be mended in every copy.",
        figure,
      });
    }
    return measured(figure, findings);
  },
};

/** Lines that carry words, squeezed, with comments and imports left out. */
export function* significantLines({ text }: SourceText): Generator<readonly [number, string]> {
  let number = 0;
  // Perl keeps its manual among the code, between a line such as "=head1" and "=cut".
  let isManual = false;
  for (const raw of text.split("\n")) {
    number++;
    const line = raw.trim().replaceAll(/\s+/g, " ");
    if (/^=[a-z]/.test(raw)) isManual = !raw.startsWith("=cut");
    if (
      isManual ||
      /^(\/\/|#|\*|\/\*|--|import\b|from\b|export \*|export \{|\} from|use |#include|package |using |"""|'''|require)/.test(
        line,
      )
    )
      continue;
    if (line.replaceAll(/\W/g, "").length >= wordCharactersMin) yield [number, line];
  }
}

interface Copy {
  readonly first: Line;
  readonly second: Line;
  readonly length: number;
}

/** Finds runs of equal lines by looking up each window of lines that was seen before, and extends them. */
async function findCopies(
  lines: readonly Line[],
  { pace }: Tools,
): Promise<{ copies: readonly Copy[]; copied: number }> {
  const seen = new Map<string, number[]>();
  const covered = new Uint8Array(lines.length);
  const copies: Copy[] = [];
  for (let at = 0; at + copyLinesMin <= lines.length; at++) {
    if ((at & 63) === 0) await pace.breathe();
    if (lines[at + copyLinesMin - 1]?.file !== lines[at]?.file) continue;
    const key = windowAt(lines, at);
    const places = seen.get(key);
    if (places === undefined) {
      seen.set(key, [at]);
      continue;
    }
    if (covered[at] === 0) {
      const from = places.find((place) => place + copyLinesMin <= at || lines[place]?.file !== lines[at]?.file);
      const length = from === undefined ? 0 : runLength(lines, from, at);
      const words = lines.slice(at, at + length).reduce((sum, line) => sum + line.text.replaceAll(/\W/g, "").length, 0);
      if (from !== undefined && words >= copyCharactersMin && distinctShare(lines, at, length) > 0.5) {
        copies.push({ first: lines[at] as Line, second: lines[from] as Line, length });
        covered.fill(1, at, at + length);
      }
    }
    if (places.length < sameWindowMax) places.push(at);
  }
  return {
    copies: copies.toSorted((left, right) => right.length - left.length),
    copied: covered.reduce((sum, one) => sum + one, 0),
  };
}

function windowAt(lines: readonly Line[], at: number): string {
  let hash = 2_166_136_261;
  let length = 0;
  for (let offset = 0; offset < copyLinesMin; offset++) {
    const { text } = lines[at + offset] as Line;
    length += text.length;
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
  }
  return `${hash}:${length}:${lines[at]?.build ?? ""}`;
}

function runLength(lines: readonly Line[], from: number, at: number): number {
  let length = 0;
  const gap = at - from;
  while (
    length < gap &&
    lines[from + length]?.text === lines[at + length]?.text &&
    lines[from + length]?.file === lines[from]?.file &&
    lines[at + length]?.file === lines[at]?.file
  )
    length++;
  return length < copyLinesMin ? 0 : length;
}

function distinctShare(lines: readonly Line[], at: number, length: number): number {
  return new Set(lines.slice(at, at + length).map((line) => line.text)).size / length;
}
