import type { Problem } from "../../../machines/workflow/read/problem.ts";

/** A path into a document: field names and positions. */
export type DocumentPath = readonly (string | number)[];

/** One document of a file: its value, and where its parts stand. */
export interface SourceDocument {
  readonly value: unknown;
  /** The line of the part at a path, or of the nearest part around it that is there; counts from 1. */
  lineOf(path: DocumentPath): Promise<number | undefined>;
}

export interface SourceText {
  readonly documents: readonly SourceDocument[];
  /** What the text itself has wrong; then there are no documents. */
  readonly problems: readonly (Problem & { readonly line?: number })[];
}

/** A text that is no document at all, and why. */
export function syntaxProblem(message: string, line: number | undefined): SourceText {
  const problem = { code: "definition/bad-syntax", severity: "error", path: [], message } as const;
  return { documents: [], problems: [line === undefined ? problem : { ...problem, line }] };
}
