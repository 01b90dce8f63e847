import type { SgNode } from "@ast-grep/napi";
import { loadLibrary } from "./libraries.ts";
import { parseBytesMax } from "./limits.ts";
import type { SourceText } from "./source.ts";

export type SyntaxNode = SgNode;

/** A parsed file: its root node and the text it was parsed from. */
export interface SyntaxTree {
  readonly source: SourceText;
  readonly root: SyntaxNode;
}

/** Parses JavaScript, TypeScript and TSX with ast-grep, off the main thread where the file is not small. */
export interface Parser {
  parse(source: SourceText): Promise<SyntaxTree | undefined>;
}

/** Below this size a parse takes less than a millisecond or two, and the trip to a thread costs more. */
const inlineCharactersMax = 16_384;

export async function loadParser(): Promise<
  { readonly ok: true; readonly parser: Parser } | { readonly ok: false; readonly why: string }
> {
  const loaded = await loadLibrary("@ast-grep/napi");
  if (!loaded.ok) return loaded;
  const { Lang, parse, parseAsync } = loaded.exports;
  const parser: Parser = {
    async parse(source) {
      if (source.text.length > parseBytesMax || source.machineMade) return undefined;
      const { language, path } = source.file;
      const typed = language === "typescript" && !/\.[cm]?js$/.test(path);
      const grammar = language === "tsx" ? Lang.Tsx : typed ? Lang.TypeScript : Lang.JavaScript;
      const root =
        source.text.length <= inlineCharactersMax
          ? parse(grammar, source.text)
          : await parseAsync(grammar, source.text);
      return { source, root: root.root() };
    },
  };
  return { ok: true, parser };
}

/** 1-based first line of a node. */
export function lineOf(node: SyntaxNode): number {
  return node.range().start.line + 1;
}
