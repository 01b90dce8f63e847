import { setImmediate as nextTurn } from "node:timers/promises";
import type { Nodes, Root } from "mdast";
import { loadLibrary } from "./libraries.ts";
import type { SourceText } from "./source.ts";

/** What a document of Markdown holds, with 1-based lines. */
export interface Document {
  readonly headings: readonly { readonly text: string; readonly depth: number; readonly line: number }[];
  /** Link and image targets as written. */
  readonly links: readonly { readonly target: string; readonly image: boolean; readonly line: number }[];
  readonly code: readonly { readonly language: string; readonly text: string; readonly line: number }[];
  /** Anchors that can be linked to: heading slugs as GitHub makes them, and ids in HTML. */
  readonly anchors: ReadonlySet<string>;
  /** Words outside code. */
  readonly words: number;
}

export type DocumentReader = (source: SourceText) => Promise<Document>;

/** Characters parsed at once: the parser takes about a millisecond for each thousand. */
const partCharactersMin = 12_288;
/** Characters of one line that are parsed: a longer one is data, and can be made to cost the parser much more. */
const lineCharactersMax = 2_000;

/** Loads the Markdown reader, or says which optional package is missing. */
export async function loadDocumentReader(): Promise<
  { readonly ok: true; readonly read: DocumentReader } | { readonly ok: false; readonly why: string }
> {
  const markdown = await loadLibrary("mdast-util-from-markdown");
  if (!markdown.ok) return markdown;
  const slugs = await loadLibrary("github-slugger");
  if (!slugs.ok) return slugs;
  const { fromMarkdown } = markdown.exports;
  const Slugger = slugs.exports.default;
  return {
    ok: true,
    async read(source) {
      const slugger = new Slugger();
      const collector = createCollector((heading) => slugger.slug(heading));
      for (const { text, line } of partsOf(source.text)) {
        collector.add(fromMarkdown(text), line - 1);
        await nextTurn();
      }
      return collector.document();
    },
  };
}

/**
 * Cuts a document before headings into parts that are parsed one by one, so that no parse blocks the event loop for
 * long. A reference used in one part and defined in another is then seen at its definition.
 */
export function* partsOf(text: string): Generator<{ readonly text: string; readonly line: number }> {
  let part: string[] = [];
  let length = 0;
  let first = 1;
  let fence: string | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && length >= partCharactersMin && /^#{1,6} /.test(line)) {
      yield { text: part.join("\n"), line: first };
      part = [];
      length = 0;
      first = index + 1;
    }
    if (mark !== undefined && (fence === undefined || (mark.startsWith(fence) && line.trim() === mark)))
      fence = fence === undefined ? mark : undefined;
    part.push(line.slice(0, lineCharactersMax));
    length += Math.min(line.length, lineCharactersMax) + 1;
  }
  yield { text: part.join("\n"), line: first };
}

interface Collector {
  add(root: Root, lineOffset: number): void;
  document(): Document;
}

function createCollector(slug: (heading: string) => string): Collector {
  const headings: { text: string; depth: number; line: number }[] = [];
  const links: { target: string; image: boolean; line: number }[] = [];
  const code: { language: string; text: string; line: number }[] = [];
  const anchors = new Set<string>();
  let words = 0;
  const visit = (node: Nodes, offset: number): void => {
    const line = (node.position?.start.line ?? 1) + offset;
    if (node.type === "heading") {
      const text = plain(node).replaceAll(/\[([^\]]*)\]\[[^\]]*\]/g, "$1");
      headings.push({ text, depth: node.depth, line });
      anchors.add(slug(text));
    } else if (node.type === "link" || node.type === "definition") links.push({ target: node.url, image: false, line });
    else if (node.type === "image") links.push({ target: node.url, image: true, line });
    else if (node.type === "code") code.push({ language: (node.lang ?? "").toLowerCase(), text: node.value, line });
    else if (node.type === "html") readHtml(node.value, line, { anchors, links });
    else if (node.type === "text") words += node.value.split(/\s+/).filter((word) => /\w/.test(word)).length;
    if ("children" in node) for (const child of node.children) visit(child, offset);
  };
  return { add: visit, document: () => ({ headings, links, code, anchors, words }) };
}

function plain(node: Nodes): string {
  if ("value" in node && node.type !== "html") return node.value;
  return "children" in node ? node.children.map(plain).join("") : "";
}

/** HTML inside Markdown: ids and names to link to, targets linked from. */
function readHtml(
  html: string,
  line: number,
  into: { anchors: Set<string>; links: { target: string; image: boolean; line: number }[] },
): void {
  for (const match of html.matchAll(/\b(id|name|href|src)\s*=\s*["']([^"']+)["']/gi)) {
    const [, attribute = "", value = ""] = match;
    const at = line + html.slice(0, match.index).split("\n").length - 1;
    if (/^(id|name)$/i.test(attribute)) into.anchors.add(value);
    else into.links.push({ target: value, image: /^src$/i.test(attribute), line: at });
  }
}
