import type { Picture, PictureList, PictureNode } from "../../../machines/workflow/picture/picture.ts";

/** Characters that Mermaid would read as its own, as its entity codes. Source: Mermaid, flowchart syntax. */
function escape(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:;=+*/?!_$%@'…·≤≥-]/gu, (char) => `#${char.codePointAt(0) ?? 32};`);
}

const shapes: { readonly [kind: string]: readonly [string, string] } = {
  start: ["((", "))"],
  end: ["(((", ")))"],
  fail: ["(((", ")))"],
  failure: [">", "]"],
  handler: ["[[", "]]"],
  decision: ["{{", "}}"],
  wait: ["([", "])"],
  event: ["([", "])"],
  subworkflow: ["[[", "]]"],
};

/** Writes a picture as a Mermaid flowchart. */
class Writer {
  readonly #lines: string[] = [];
  readonly #names = new Map<string, string>();

  name(id: string): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = `n${this.#names.size}`;
    this.#names.set(id, name);
    return name;
  }

  line(depth: number, text: string): void {
    this.#lines.push(`${"  ".repeat(depth)}${text}`);
  }

  #node(node: PictureNode, depth: number): void {
    const words = [`<b>${escape(node.title)}</b>`, ...node.notes.map((note) => escape(note))].join("<br/>");
    if (node.lists.length === 0) {
      const [open, close] = shapes[node.kind === "step" ? node.type : node.kind] ?? ["[", "]"];
      const text = node.title === "" ? " " : words;
      return this.line(depth, `${this.name(node.id)}${open}"${text}"${close}`);
    }
    this.line(depth, `subgraph ${this.name(node.id)}["${words}"]`);
    for (const [at, list] of node.lists.entries()) {
      const isNamed = list.title !== "";
      if (isNamed) this.line(depth + 1, `subgraph ${this.name(`${node.id}/${at}`)}["${escape(list.title)}"]`);
      this.list(list, isNamed ? depth + 2 : depth + 1);
      if (isNamed) this.line(depth + 1, "end");
    }
    for (const [at, { after }] of node.lists.entries())
      for (const title of after) {
        const from = node.lists.findIndex((list) => list.title === title);
        this.line(depth + 1, `${this.name(`${node.id}/${from}`)} --> ${this.name(`${node.id}/${at}`)}`);
      }
    this.line(depth, "end");
  }

  list({ nodes, arrows }: PictureList, depth: number): void {
    for (const node of nodes) this.#node(node, depth);
    for (const { from, to, label, isFailure } of arrows) {
      const arrow = isFailure ? "-.->" : "-->";
      const words = label === "" ? "" : `|"${escape(label)}"|`;
      this.line(depth, `${this.name(from)} ${arrow}${words} ${this.name(to)}`);
    }
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** A picture as text of a Mermaid flowchart, as code hosts draw it. */
export function toMermaid(picture: Picture): string {
  const writer = new Writer();
  writer.line(0, "---");
  writer.line(0, `title: ${JSON.stringify(picture.title)}`);
  writer.line(0, "---");
  writer.line(0, "flowchart TD");
  writer.list(picture.list, 1);
  for (const [at, starter] of picture.starters.entries())
    writer.line(
      1,
      `${writer.name(`$starter${at}`)}([${JSON.stringify(escape(starter))}]) -.-> ${writer.name("$start")}`,
    );
  return writer.text();
}
