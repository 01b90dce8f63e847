import type { SourceText } from "./source.ts";

/** package.json as it is, with the line of each top-level and second-level key. */
export interface Manifest {
  readonly path: string;
  readonly data: { readonly [key: string]: unknown };
  /** 1-based line of `"key"`, or of `"inner"` within `"key"`; 1 where it is not found. */
  lineOf(key: string, inner?: string): number;
  text(key: string): string | undefined;
  record(key: string): { readonly [key: string]: unknown };
}

/** Reads a manifest; undefined when it is not a JSON object. */
export function readManifest(source: SourceText): Manifest | undefined {
  let data: unknown;
  try {
    data = JSON.parse(source.text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isRecord(data)) return undefined;
  const held = data;
  return {
    path: source.file.path,
    data: held,
    lineOf(key, inner) {
      const outer = offsetOf(source.text, key, 0);
      if (outer === -1) return 1;
      const nested = inner === undefined ? -1 : offsetOf(source.text, inner, outer + key.length + 2);
      return source.lineAt(nested === -1 ? outer : nested);
    },
    text(key) {
      const value = held[key];
      return typeof value === "string" && value.trim() !== "" ? value : undefined;
    },
    record(key) {
      const value = held[key];
      return isRecord(value) ? value : {};
    },
  };
}

function offsetOf(text: string, key: string, from: number): number {
  const quoted = JSON.stringify(key);
  for (let at = text.indexOf(quoted, from); at !== -1; at = text.indexOf(quoted, at + 1)) {
    if (/^\s*:/.test(text.slice(at + quoted.length, at + quoted.length + 20))) return at;
  }
  return -1;
}

export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
