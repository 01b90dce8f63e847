import { syntaxProblem, type DocumentPath, type SourceDocument, type SourceText } from "./source-text.ts";

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
  let located: Promise<SourceDocument | undefined> | undefined;
  const locate = async (): Promise<SourceDocument | undefined> =>
    (await import("./yaml-text.ts")).readYaml(text).documents[0];
  const lineOf = async (path: DocumentPath): Promise<number | undefined> => {
    located ??= locate();
    return (await located)?.lineOf(path);
  };
  return { documents: [{ value, lineOf }], problems: [] };
}
