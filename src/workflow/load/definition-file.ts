import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Definition } from "../../../machines/workflow/definition.ts";
import type { Reading } from "../../../machines/workflow/read/definition.ts";
import { type Problem, writePath } from "../../../machines/workflow/read/problem.ts";
import { TroupeError } from "../../errors.ts";
import { readJson } from "./json-text.ts";
import type { SourceDocument, SourceText } from "./source-text.ts";

/** What is wrong with a file of definitions, or was assumed of it. */
export interface FileProblem {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** As `steps[2].input.files`. */
  readonly path: string;
  /** Counts from 1; missing where the file is a module. */
  readonly line?: number;
  readonly message: string;
}

/** What one file holds. */
export interface DefinitionFile {
  readonly file: string;
  /** Empty where there is an error. */
  readonly definitions: readonly Definition[];
  readonly problems: readonly FileProblem[];
  readonly settings: Reading["settings"];
}

export interface LoadOptions {
  /** Reads one authored value; `fallbackKey` is the file's name, for a document that names no key. */
  readonly read: (authored: unknown, fallbackKey: string) => Reading;
  /** How modules are loaded; without it, a module is an error that says so. */
  readonly importModule?: (url: string) => Promise<unknown>;
}

/** Longest file of definitions, in bytes. */
export const definitionFileBytesMax = 16_777_216;
/** Most files of one folder. */
export const definitionFilesMax = 1_000;

type TextReader = (text: string) => SourceText | Promise<SourceText>;

/** The parser of YAML is large: who has none of it does not wait for it. */
const readYaml = async (text: string): Promise<SourceText> => (await import("./yaml-text.ts")).readYaml(text);

const textReaders: ReadonlyMap<string, TextReader> = new Map<string, TextReader>([
  [".json", readJson],
  [".yaml", readYaml],
  [".yml", readYaml],
]);
const moduleEndings: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);

/** Endings of the files that are read. */
export const definitionEndings: readonly string[] = [...textReaders.keys(), ...moduleEndings];

async function tellProblem(
  problem: Problem & { readonly line?: number },
  document: SourceDocument | undefined,
): Promise<FileProblem> {
  const { code, severity, path, message } = problem;
  const line = problem.line ?? (await document?.lineOf(path));
  return { code, severity, path: writePath(path), ...(line === undefined ? {} : { line }), message };
}

/** `flow.yaml:12: steps[2].next: what is wrong, and the fix` */
export function tellFileProblem(file: string, { path, line, message }: FileProblem): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${path === "" ? "it" : `${path}:`} ${message}`;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > definitionFileBytesMax)
      throw new TroupeError(
        "usage/bad-file",
        `${file} has ${size} bytes; a file of definitions has at most ${definitionFileBytesMax}`,
      );
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof TroupeError) throw error;
    const reason = error instanceof Error ? error.message : "unknown reason";
    throw new TroupeError("usage/bad-file", `${file} cannot be read (${reason}); check the path and its permissions`, {
      cause: error,
    });
  }
}

function moduleProblem(message: string): SourceText {
  return { documents: [], problems: [{ code: "definition/bad-syntax", severity: "error", path: [], message }] };
}

/** The default export of a module: one definition, or a list of them. */
async function readModule(file: string, importModule: LoadOptions["importModule"]): Promise<SourceText> {
  if (importModule === undefined)
    return moduleProblem("is a module, and modules are not loaded here; import it and give its definition instead");
  let loaded: unknown;
  try {
    loaded = await importModule(pathToFileURL(file).href);
  } catch (error) {
    return moduleProblem(
      `cannot be loaded: ${error instanceof Error ? error.message : "it threw something that is no error"}`,
    );
  }
  const value = (loaded as { readonly default?: unknown }).default;
  if (value === undefined)
    return moduleProblem("has no default export; write `export default` and the definition, or a list of them");
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return { documents: values.map((one) => ({ value: one, lineOf: async () => undefined })), problems: [] };
}

async function readSource(file: string, options: LoadOptions): Promise<SourceText> {
  const ending = extname(file).toLowerCase();
  const reader = textReaders.get(ending);
  if (reader !== undefined) return reader(await readText(file));
  if (moduleEndings.has(ending)) {
    await readText(file);
    return readModule(file, options.importModule);
  }
  throw new TroupeError(
    "usage/bad-file",
    `${file} is no file of definitions; its name must end in ${definitionEndings.join(", ")}`,
  );
}

/**
 * Reads the definitions of one file: JSON, YAML (one document or several) or a module.
 * Shape: every problem at once, with its line where the file is text, and in the order of the lines.
 * Errors: throws `usage/bad-file` where the file is missing, too large or of another kind.
 */
export async function loadDefinitionFile(file: string, options: LoadOptions): Promise<DefinitionFile> {
  const { documents, problems: broken } = await readSource(file, options);
  const fallbackKey = basename(file).replace(/\.[a-z]+$/i, "");
  const readings = documents.map((document) => ({ document, reading: options.read(document.value, fallbackKey) }));
  const told = [
    ...broken.map((problem) => tellProblem(problem, undefined)),
    ...readings.flatMap(({ document, reading }) => reading.problems.map((problem) => tellProblem(problem, document))),
  ];
  const problems = [
    ...(await Promise.all(told)),
    ...repeatedKeys(readings.flatMap(({ reading }) => reading.definitions)),
  ].toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0));
  const sound = !problems.some(({ severity }) => severity === "error");
  return {
    file,
    definitions: sound ? readings.flatMap(({ reading }) => reading.definitions) : [],
    problems,
    settings: Object.assign({}, ...readings.map(({ reading }) => reading.settings)) as Reading["settings"],
  };
}

function repeatedKeys(definitions: readonly Definition[]): FileProblem[] {
  const names = definitions.map(({ key, version }) => `${key} ${version}`);
  const repeated = new Set(names.filter((name, at) => names.indexOf(name) !== at));
  return [...repeated].map((name) => ({
    code: "definition/duplicate-id",
    severity: "error",
    path: "",
    message: `defines ${name} more than once; give each document a key or a version of its own`,
  }));
}

/**
 * Reads every file of definitions in a folder and the folders in it, in the order of their paths.
 * Errors: throws `usage/bad-file` where the folder cannot be read or has too many files.
 */
export async function loadDefinitionFolder(folder: string, options: LoadOptions): Promise<readonly DefinitionFile[]> {
  const modules = options.importModule !== undefined;
  const wanted = (name: string): boolean => {
    const ending = extname(name).toLowerCase();
    return (
      textReaders.has(ending) || (modules && moduleEndings.has(ending) && !/\.(test|spec|d)\.[mc]?[jt]s$/.test(name))
    );
  };
  let names: string[];
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    names = entries.flatMap((entry) =>
      entry.isFile() && wanted(entry.name) ? [join(entry.parentPath, entry.name)] : [],
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown reason";
    throw new TroupeError("usage/bad-file", `the folder ${folder} cannot be read (${reason})`, { cause: error });
  }
  if (names.length > definitionFilesMax)
    throw new TroupeError(
      "usage/bad-file",
      `${folder} has ${names.length} files of definitions; at most ${definitionFilesMax} are loaded at once`,
    );
  const files: DefinitionFile[] = [];
  for (const name of names.toSorted()) files.push(await loadDefinitionFile(name, options));
  return files;
}
