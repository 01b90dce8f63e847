import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type ProjectFile, settleRoles, sourceFiles } from "./files.ts";
import { type HistoryAnswer, readHistory } from "./history.ts";
import { textBytesMax, treeBytesMax } from "./limits.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { type Document, loadDocumentReader } from "./markdown.ts";
import { type Outline, outlineOf } from "./outline.ts";
import type { Pace } from "./pace.ts";
import { createRecent } from "./recent.ts";
import { hasTree } from "./roles.ts";
import { type NoText, readSource, type SourceText } from "./source.ts";
import { loadParser, type Parser, type SyntaxTree } from "./syntax.ts";
import { walkFolder } from "./walk.ts";

/** What all experts know of one folder: one walk, one parse of each file while it is in use, one reading of history. */
export interface Survey {
  /** Real path of the examined folder. */
  readonly folder: string;
  readonly name: string;
  readonly files: readonly ProjectFile[];
  /** Files seen by the walk, also those beyond the limit. */
  readonly filesSeen: number;
  /** True when only build output was found, which then is examined in place of sources. */
  readonly builtOnly: boolean;
  /** Lines of source code with something on them. */
  readonly sourceLines: number;
  readonly manifest: Manifest | undefined;
  readonly history: HistoryAnswer;
  /** Why there are no syntax trees, where there are none. */
  readonly noTrees: string | undefined;
  /** Why there are no documents, where there are none. */
  readonly noDocuments: string | undefined;
  find(path: string): ProjectFile | undefined;
  /** Files at the root whose name matches. */
  rootFiles(name: RegExp): readonly ProjectFile[];
  readonly text: (file: ProjectFile) => Promise<SourceText | undefined>;
  readonly tree: (file: ProjectFile) => Promise<SyntaxTree | undefined>;
  readonly outline: (file: ProjectFile) => Promise<Outline | undefined>;
  document(file: ProjectFile): Promise<Document | undefined>;
  /** Whether something exists at a path relative to the root, also where the walk did not go. */
  exists(path: string): Promise<boolean>;
  /** What was left out so far, as sentences. */
  omissions(): readonly string[];
  /** Drops texts and trees; they are read again when needed. */
  readonly forget: () => void;
}

/** Surveys a folder given by its real path. */
export async function surveyFolder(folder: string, pace: Pace): Promise<Survey> {
  const [walk, history, parser, reader] = await Promise.all([
    walkFolder(folder, pace),
    readHistory(folder, pace),
    loadParser(),
    loadDocumentReader(),
  ]);
  const { files, builtOnly } = settleRoles(walk.files);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const shelf = createShelf(folder, parser.ok ? parser.parser : undefined);
  const documents = new Map<string, Document>();
  let sourceLines = 0;
  for (const file of sourceFiles(files)) {
    await pace.breathe();
    const source = await shelf.text(file);
    if (source !== undefined && !source.machineMade) sourceLines += source.lines;
  }
  const manifestFile = byPath.get("package.json");
  const manifestText = manifestFile === undefined ? undefined : await shelf.text(manifestFile);
  return {
    folder,
    name: basename(folder),
    files,
    filesSeen: walk.seen,
    builtOnly,
    sourceLines,
    manifest: manifestText === undefined ? undefined : readManifest(manifestText),
    history,
    noTrees: parser.ok ? undefined : parser.why,
    noDocuments: reader.ok ? undefined : reader.why,
    find: (path) => byPath.get(path),
    rootFiles: (name) => files.filter((file) => file.depth === 0 && name.test(file.path)),
    text: shelf.text,
    tree: shelf.tree,
    outline: shelf.outline,
    async document(file) {
      const held = documents.get(file.path);
      if (held !== undefined || !reader.ok) return held;
      const source = await shelf.text(file);
      if (source === undefined) return undefined;
      const made = await reader.read(source);
      documents.set(file.path, made);
      return made;
    },
    exists: async (path) =>
      byPath.has(path) ||
      (await lstat(join(folder, path)).then(
        () => true,
        () => false,
      )),
    omissions: () => [...walk.omissions, ...shelf.omissions()],
    forget: shelf.forget,
  };
}

interface Shelf {
  readonly text: (file: ProjectFile) => Promise<SourceText | undefined>;
  readonly tree: (file: ProjectFile) => Promise<SyntaxTree | undefined>;
  readonly outline: (file: ProjectFile) => Promise<Outline | undefined>;
  omissions(): readonly string[];
  readonly forget: () => void;
}

/** Texts, trees and outlines of one folder. Experts that ask for the same file at the same time share one reading. */
function createShelf(folder: string, parser: Parser | undefined): Shelf {
  const texts = createRecent<Promise<SourceText | NoText>>(textBytesMax);
  const trees = createRecent<Promise<SyntaxTree | undefined>>(treeBytesMax);
  const outlines = new Map<string, Outline>();
  const refused: Record<NoText, Set<string>> = { "too-large": new Set(), binary: new Set(), unreadable: new Set() };
  const unparsed = new Set<string>();
  const text: Shelf["text"] = async (file) => {
    let pending = texts.get(file.path);
    if (pending === undefined) {
      pending = readSource(folder, file);
      texts.set(file.path, pending, file.bytes);
    }
    const found = await pending;
    if (typeof found !== "string") return found;
    refused[found].add(file.path);
    return undefined;
  };
  const parse = async (file: ProjectFile): Promise<SyntaxTree | undefined> => {
    const source = await text(file);
    if (source === undefined || parser === undefined) return undefined;
    const tree = await parser.parse(source);
    if (tree === undefined) unparsed.add(file.path);
    return tree;
  };
  const tree: Shelf["tree"] = async (file) => {
    if (!hasTree(file.language)) return undefined;
    let pending = trees.get(file.path);
    if (pending === undefined) {
      pending = parse(file);
      trees.set(file.path, pending, file.bytes);
    }
    return await pending;
  };
  return {
    text,
    tree,
    async outline(file) {
      const held = outlines.get(file.path);
      if (held !== undefined) return held;
      const parsed = await tree(file);
      if (parsed === undefined) return undefined;
      const made = outlines.get(file.path) ?? outlineOf(parsed);
      outlines.set(file.path, made);
      return made;
    },
    omissions() {
      const said: [number, string][] = [
        [refused["too-large"].size, "files are too large to be read"],
        [refused.unreadable.size, "files could not be read or vanished"],
        [unparsed.size, "source files are generated, squeezed or too large for a syntax tree"],
      ];
      return said.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    },
    forget() {
      texts.clear();
      trees.clear();
    },
  };
}
