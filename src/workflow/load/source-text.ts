import { isMap, isSeq, LineCounter, type Document, type Node, parseAllDocuments } from "yaml";
import type { Problem } from "../../../machines/workflow/read/problem.ts";

/** A path into a document: field names and positions. */
export type DocumentPath = readonly (string | number)[];

/** One document of a file: its value, and where its parts stand. */
export interface SourceDocument {
  readonly value: unknown;
  /** The line of the part at a path, or of the nearest part around it that is there; counts from 1. */
  lineOf(path: DocumentPath): number | undefined;
}

export interface SourceText {
  readonly documents: readonly SourceDocument[];
  /** What the text itself has wrong; then there are no documents. */
  readonly problems: readonly (Problem & { readonly line?: number })[];
}

/** Most aliases that one YAML document may expand: more is a bomb, not a definition. */
const yamlAliasesMax = 100;
/** Most documents in one YAML file. */
const yamlDocumentsMax = 100;

function syntaxProblem(message: string, line: number | undefined): SourceText {
  const problem = { code: "definition/bad-syntax", severity: "error", path: [], message } as const;
  return { documents: [], problems: [line === undefined ? problem : { ...problem, line }] };
}

/** Where a part of a document begins; fields begin at their names. */
function findOffset(document: Document, path: DocumentPath): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String((key as { value?: unknown }).value ?? key) === String(part));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(part)];
      if (item === undefined) return offset;
      offset = (item as Node | null)?.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}

function sourceDocument(document: Document, lines: LineCounter): SourceDocument {
  return {
    value: document.toJS({ maxAliasCount: yamlAliasesMax }) as unknown,
    lineOf(path) {
      const offset = findOffset(document, path);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
  };
}

/** Reads YAML 1.2, one document or several; a repeated field is an error. */
export function readYaml(text: string): SourceText {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const documents = "empty" in parsed ? [] : parsed;
  const error = documents.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) return syntaxProblem(`is no YAML: ${error.message}`, lines.linePos(error.pos[0]).line);
  if (documents.length === 0) return syntaxProblem("is empty; a definition needs a name and steps", 1);
  if (documents.length > yamlDocumentsMax)
    return syntaxProblem(`has ${documents.length} documents; one file takes ${yamlDocumentsMax}`, 1);
  try {
    return { documents: documents.map((document) => sourceDocument(document, lines)), problems: [] };
  } catch (error_) {
    // The parser refuses to expand aliases beyond the limit.
    return syntaxProblem(`is no YAML that is read: ${error_ instanceof Error ? error_.message : "unknown reason"}`, 1);
  }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Characters that V8 quotes of the text on each side of what it did not expect. */
const quotedSide = 10;

/** The line that a message of `JSON.parse` speaks of: V8 gives a position, or quotes the text around it. */
function jsonErrorLine(text: string, message: string): number | undefined {
  const position = /position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return lineAt(text, Number(position));
  if (/end of JSON/.test(message)) return lineAt(text, text.length);
  const quote = /, (\.\.\.)?"([\s\S]*)"(\.\.\.)? is not valid JSON$/.exec(message);
  const [, before, quoted, after] = quote ?? [];
  if (quoted === undefined) return undefined;
  const from = text.indexOf(quoted);
  if (from === -1) return undefined;
  const inside = before === undefined && after !== undefined ? quoted.length - quotedSide : quotedSide;
  return lineAt(text, from + Math.max(0, Math.min(inside, quoted.length)));
}

/** Reads JSON. Lines are looked up by reading the text once more as YAML, which JSON is a part of, and only when asked. */
export function readJson(text: string): SourceText {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (error) {
    const message = error instanceof Error ? error.message : "it cannot be read";
    return syntaxProblem(`is no JSON: ${message}`, jsonErrorLine(text, message));
  }
  let located: SourceDocument | undefined;
  const lineOf = (path: DocumentPath): number | undefined => {
    located ??= readYaml(text).documents[0];
    return located?.lineOf(path);
  };
  return { documents: [{ value, lineOf }], problems: [] };
}
