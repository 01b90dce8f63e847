import type { JsonRecord } from "../json.ts";
import type { Path } from "../read/reader.ts";
import type { Problems } from "../read/problem.ts";

/** A definition as an author may write it, made from another form; `origins` says where its parts came from. */
export interface Authored {
  readonly document: JsonRecord;
  /** Where the document stands in what was read. */
  readonly path: Path;
}

export interface DialectContext {
  readonly problems: Problems;
  readonly origins: Map<unknown, Path>;
}

/** What an engine may take from a document besides its definitions. */
export interface Settings {
  /** Most runs at once. */
  readonly concurrency?: number;
  /** Failures in a row after which an agent is cut off. */
  readonly breakerFailures?: number;
}

export interface DialectResult {
  readonly definitions: readonly Authored[];
  readonly settings?: Settings;
}

/** One form that documents have: how it is recognised, and how it becomes the form of steps. */
export interface Dialect {
  readonly name: string;
  /** One sentence, for the guide. */
  readonly summary: string;
  matches(document: JsonRecord): boolean;
  read(document: JsonRecord, context: DialectContext): DialectResult;
}
