import type { DecisionQuestion } from "troupe";
import type { Level } from "./judgement.ts";

/** One option with a folder of its own. */
export interface FolderOption {
  readonly id: string;
  readonly folder: string;
}

/** What a question asks of an expert that examines folders. */
export type Reading =
  | {
      readonly kind: "ordered";
      readonly folder: string;
      readonly options: readonly { readonly id: string; readonly level: Level }[];
    }
  | { readonly kind: "compare"; readonly options: readonly FolderOption[]; readonly without: readonly string[] }
  | { readonly kind: "unmeasurable"; readonly why: string };

/** Words whose boldness is plain. An option id counts by its first or last word. */
const boldness: readonly (readonly [Level, RegExp])[] = [
  [0, /^(release|ship|publish|go|proceed|merge|approve|accept|deploy|adopt|launch|yes|keep|use|continue)$/],
  [
    1,
    /^(fix|fix-first|mend|mend-first|improve|revise|conditional|changes|request-changes|delay|repair|canary|partial|with-changes)$/,
  ],
  [2, /^(hold|stop|reject|block|no|no-go|abandon|wait|deny|refuse|cancel|drop|rollback|discard)$/],
];

/**
 * Reads what can be measured. Options with folders are compared with each other. A folder in the context is judged
 * where the options are known to run from the boldest to the most cautious: by their words, or by `context.ordered`.
 */
export function readQuestion(question: DecisionQuestion): Reading {
  const folders = question.options.flatMap(({ id, folder }) =>
    folder === undefined || folder === "" ? [] : [{ id, folder }],
  );
  if (folders.length > 0) {
    return {
      kind: "compare",
      options: folders,
      without: question.options.filter(({ id }) => !folders.some((option) => option.id === id)).map(({ id }) => id),
    };
  }
  const folder = question.context["folder"];
  if (typeof folder !== "string" || folder === "")
    return { kind: "unmeasurable", why: "neither the context nor an option names a folder to examine" };
  const levels =
    question.context["ordered"] === true
      ? levelsByPosition(question.options.length)
      : levelsByWord(question.options.map(({ id }) => id));
  if (levels === undefined) {
    return {
      kind: "unmeasurable",
      why: `the options ${question.options.map(({ id }) => id).join(", ")} are not known to run from the boldest to the most cautious; set context.ordered to true if they do, or give each option a folder`,
    };
  }
  return {
    kind: "ordered",
    folder,
    options: question.options.map(({ id }, index) => ({ id, level: levels[index] as Level })),
  };
}

function levelsByPosition(count: number): readonly Level[] {
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, index) => Math.round((2 * index) / (count - 1)) as Level);
}

function levelsByWord(ids: readonly string[]): readonly Level[] | undefined {
  const levels: Level[] = [];
  for (const id of ids) {
    const word = id.toLowerCase().replaceAll(/[\s_]+/g, "-");
    const parts = [word, word.split("-")[0] ?? ""];
    const level = parts
      .map((part) => boldness.find(([, words]) => words.test(part))?.[0])
      .find((found) => found !== undefined);
    if (level === undefined || level < (levels.at(-1) ?? 0)) return undefined;
    levels.push(level);
  }
  return levels;
}

/** The boldest option that is at least as cautious as the judgement, and all that are no bolder; none when every option is bolder. */
export function optionsFor(
  level: Level,
  options: readonly { readonly id: string; readonly level: Level }[],
): readonly string[] {
  const first = options.findIndex((option) => option.level >= level);
  return first === -1 ? [] : options.slice(first).map(({ id }) => id);
}
