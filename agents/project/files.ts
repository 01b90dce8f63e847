import type { Language, Role } from "./roles.ts";
import { hasTree, isCode } from "./roles.ts";

/** One file of the examined folder. */
export interface ProjectFile {
  /** Relative to the root, with "/". */
  readonly path: string;
  readonly depth: number;
  readonly bytes: number;
  readonly language: Language;
  readonly role: Role;
}

const variantWords =
  /[.-](cjs|esm|mjs|umd|iife|module|modern|legacy|browser|node|development|dev|production|prod|min|global|bundle)(?=[.-]|$)/gi;

/** A bundler names a part after its content, which differs from build to build. */
const contentHash = /-[0-9a-f]{8}(?=\.|$)/;

/** The path without what only tells builds of one source apart. */
function variantStem(path: string): string {
  const bare = path.replace(/\.[cm]?[jt]sx?$/i, "");
  return bare
    .replace(variantWords, "")
    .replace(contentHash, "")
    .replace(/(^|\/)(cjs|esm|mjs|umd|amd|commonjs|modern|legacy|_cjs|_esm)\//gi, "$1");
}

/** Lower is preferred among builds of one source: ES modules, readable, first. */
function variantCost(path: string): number {
  const has = (words: RegExp): number => (words.test(path) ? 1 : 0);
  return (
    has(/[.-](min|production|prod)\b/i) * 8 +
    has(/(\bumd\b|\biife\b|\bglobal\b|\blegacy\b)/i) * 4 +
    has(/(\bcjs\b|\bcommonjs\b|\bamd\b|\.cjs$)/i) * 2 +
    has(/\b(development|dev)\b/i)
  );
}

function keepOnePerStem(files: readonly ProjectFile[]): Set<string> {
  const chosen = new Map<string, ProjectFile>();
  for (const file of files) {
    const stem = variantStem(file.path);
    const held = chosen.get(stem);
    if (held === undefined || variantCost(file.path) < variantCost(held.path)) chosen.set(stem, file);
  }
  return new Set([...chosen.values()].map((file) => file.path));
}

/** Below this share of the build output, what lies outside it is only what loads it. */
const loaderShare = 0.1;

function bytesOf(files: readonly ProjectFile[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0);
}

export interface Settled {
  readonly files: readonly ProjectFile[];
  /** True when the folder holds no source but its build output, which then stands in for it. */
  readonly builtOnly: boolean;
}

/**
 * Settles the roles that need the whole list: compiled twins of TypeScript sources are built, of several
 * builds of one module only one counts, and where a folder holds nothing but build output, that is its source.
 */
export function settleRoles(files: readonly ProjectFile[]): Settled {
  const paths = new Set(files.map((file) => file.path));
  const sources = files.filter((file) => file.role === "source" && isCode(file.language));
  const typed = sources.some((file) => file.language === "typescript" || file.language === "tsx");
  const hasCompanion = (file: ProjectFile): boolean => {
    const stem = file.path.replace(/\.[cm]?js$/i, "");
    return ["ts", "mts", "cts"].some((kind) => paths.has(`${stem}.d.${kind}`)) || paths.has(`${file.path}.map`);
  };
  const own = sources.filter((file) => !(typed && file.language === "javascript" && hasCompanion(file)));
  const output = files.filter((file) => file.role === "built" && isCode(file.language));
  const builtOnly = output.length > 0 && !typed && bytesOf(own) < bytesOf(output) * loaderShare;
  const candidates = builtOnly ? [...own, ...output] : own;
  const kept = keepOnePerStem(candidates.filter((file) => file.language === "javascript"));
  const chosen = new Set(
    candidates.filter((file) => file.language !== "javascript" || kept.has(file.path)).map((file) => file.path),
  );
  const settled = files.map((file): ProjectFile => {
    if (!isCode(file.language) || (file.role !== "source" && file.role !== "built")) return file;
    const role: Role = chosen.has(file.path) ? "source" : "built";
    return role === file.role ? file : { ...file, role };
  });
  return { files: settled, builtOnly };
}

/** Files whose own code is judged: sources in a programming language. */
export function sourceFiles(files: readonly ProjectFile[]): readonly ProjectFile[] {
  return files.filter((file) => file.role === "source" && isCode(file.language));
}

/** Source files that can be parsed into a syntax tree. */
export function treeFiles(files: readonly ProjectFile[]): readonly ProjectFile[] {
  return files.filter((file) => file.role === "source" && hasTree(file.language));
}
