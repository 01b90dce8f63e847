import type { Picture } from "../../../machines/workflow/picture/picture.ts";
import { placePicture, type PlacedArrow, type PlacedList, type PlacedNode } from "./layout.ts";
import type { Point } from "./layers.ts";
import { fonts, printable, type FontName, widthOf } from "./words.ts";

/** Room above the picture for its title and what starts it. */
const titleLine = 24;
const margin = 16;

const style = `text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:#1c2430}
.paper{fill:#fff}.title{font-size:${fonts.title.size}px;font-weight:600}.note{font-size:${fonts.note.size}px;fill:#4a5565}
.kind{font-size:${fonts.kind.size}px;letter-spacing:.04em;fill:#64748b}.head{font-size:16px;font-weight:600}
.box{fill:#f8fafc;stroke:#94a3b8}.task{fill:#eef4ff;stroke:#4f79c7}.decision{fill:#fff7e0;stroke:#c79a2b}
.wait,.event{fill:#f3eefe;stroke:#8a63c9}.subworkflow,.handler{fill:#e8f7f1;stroke:#2f9070}
.list{fill:#fff;stroke:#cbd5e1}.failure,.fail{fill:#fdecec;stroke:#c94f4f}.start,.end{fill:#1c2430;stroke:#1c2430}
.arrow{fill:none;stroke:#64748b;stroke-width:1.4}.arrow.failure{fill:none;stroke:#c94f4f;stroke-dasharray:5 4}
.label{fill:#fff;opacity:.88}.tip{fill:#64748b}.tip.failure{fill:#c94f4f;stroke:none}`;

function escape(text: string): string {
  const entities: { readonly [char: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return printable(text).replace(/[&<>"]/g, (char) => entities[char] ?? char);
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function words(
  lines: readonly string[],
  font: FontName | "head",
  place: { x: number; y: number; middle?: boolean },
): string {
  const { line } = font === "head" ? { line: titleLine } : fonts[font];
  const anchor = place.middle === true ? ' text-anchor="middle"' : "";
  return lines
    .map(
      (text, index) =>
        `<text class="${font}" x="${at(place.x)}" y="${at(place.y + index * line)}"${anchor}>${escape(text)}</text>`,
    )
    .join("");
}

const builtin: ReadonlySet<string> = new Set(["task", "decision", "wait", "event", "subworkflow"]);

function classOf({ node, title, lists }: PlacedNode): string {
  if (lists.length > 0) return "box";
  // The end of the whole is a word on paper; that of an inner list is a dot.
  if (node.kind === "end" && title.length > 0) return "list";
  if (node.kind !== "step") return node.kind;
  return builtin.has(node.type) ? node.type : "task";
}

function shapeOf(placed: PlacedNode, kind: string): string {
  const { x, y, width, height } = placed;
  if (placed.title.length === 0 && placed.lists.length === 0) {
    const [cx, cy, r] = [at(x + width / 2), at(y + height / 2), at(width / 2 - 1)];
    const ring = kind === "end" ? `<circle class="paper" cx="${cx}" cy="${cy}" r="${at(width / 2 - 4)}"/>` : "";
    const core = kind === "end" ? `<circle class="end" cx="${cx}" cy="${cy}" r="${at(width / 2 - 6)}"/>` : "";
    return `<circle class="${kind}" cx="${cx}" cy="${cy}" r="${r}"/>${ring}${core}`;
  }
  if (kind === "decision") {
    const cut = 11;
    const corners = [
      [x - cut, y + height / 2],
      [x, y],
      [x + width, y],
      [x + width + cut, y + height / 2],
      [x + width, y + height],
      [x, y + height],
    ];
    return `<polygon class="decision" points="${corners.map(([px = 0, py = 0]) => `${at(px)},${at(py)}`).join(" ")}"/>`;
  }
  const round = kind === "wait" || kind === "event" || kind === "end" || kind === "fail" ? Math.min(18, height / 2) : 6;
  const rect = (inset: number): string =>
    `<rect class="${kind}" x="${at(x + inset)}" y="${at(y + inset)}" width="${at(width - 2 * inset)}" height="${at(height - 2 * inset)}" rx="${at(round)}"/>`;
  return kind === "subworkflow" || kind === "handler" ? rect(0) + rect(3) : rect(0);
}

/** What a reader is told who points at a node, or has it read out. */
function tell({ node }: PlacedNode): string {
  const kind = node.kind === "step" ? `${node.type}: ` : "";
  return `<title>${escape([`${kind}${node.title}`, ...node.notes].join("\n"))}</title>`;
}

function drawNode(placed: PlacedNode): string {
  const { x, y, width, node, title, notes, lists } = placed;
  const kind = classOf(placed);
  const isPlain = node.kind !== "step";
  const middle = x + width / 2;
  let line = y + 12 + (isPlain ? 3 : 0);
  let text = "";
  if (!isPlain) {
    text += words([node.type], "kind", { x: middle, y: line + 4, middle: true });
    line += fonts.kind.line;
  }
  text += words(title, "title", { x: middle, y: line + 8, middle: true });
  line += title.length * fonts.title.line;
  text += words(notes, "note", { x: middle, y: line + 6, middle: true });
  const inner = lists.map((list) => drawList(list, { x, y }, node.lists.length > 1)).join("");
  return `<g role="listitem">${tell(placed)}${shapeOf(placed, kind)}${text}${inner}</g>`;
}

function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const parts = [`M${at(first.x)},${at(first.y)}`];
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) parts.push(`L${at(point.x)},${at(point.y)}`);
    else parts.push(`Q${at(point.x)},${at(point.y)} ${at((point.x + next.x) / 2)},${at((point.y + next.y) / 2)}`);
  }
  return parts.join("");
}

function drawTip(points: readonly Point[], kind: string): string {
  const [before, end] = [points.at(-2), points.at(-1)];
  if (before === undefined || end === undefined) return "";
  const angle = Math.atan2(end.y - before.y, end.x - before.x);
  const corner = (turn: number): string =>
    at(end.x - 8 * Math.cos(angle + turn)) + "," + at(end.y - 8 * Math.sin(angle + turn));
  return `<polygon class="tip${kind}" points="${at(end.x)},${at(end.y)} ${corner(0.42)} ${corner(-0.42)}"/>`;
}

function drawArrow({ arrow, points, label }: PlacedArrow): string {
  const kind = arrow.isFailure ? " failure" : "";
  const line = `<path class="arrow${kind}" d="${curve(points)}"/>${drawTip(points, kind)}`;
  if (label === undefined) return line;
  const { x, y, width, height, lines } = label;
  const paper = `<rect class="label" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}"/>`;
  return `${line}${paper}${words(lines, "note", { x: x + width / 2, y: y + 12, middle: true })}`;
}

function drawList(list: PlacedList, origin: { x: number; y: number }, isFramed: boolean): string {
  const { x, y, width, height, title, nodes, arrows, from } = list;
  const after = from.map((points) => `<path class="arrow" d="${curve(points)}"/>${drawTip(points, "")}`).join("");
  const frame = isFramed ? `<rect class="list" x="0" y="0" width="${at(width)}" height="${at(height)}" rx="4"/>` : "";
  const head = words(title, "note", { x: 8, y: 14 });
  const body = arrows.map(drawArrow).join("") + nodes.map(drawNode).join("");
  return `<g transform="translate(${at(origin.x)},${at(origin.y)})">${after}</g><g role="list" transform="translate(${at(origin.x + x)},${at(origin.y + y)})">${frame}${head}${body}</g>`;
}

/**
 * A picture as an SVG document that stands alone: steps from top to bottom, arrows of failures dashed, and for each
 * step its whole text as a tooltip, which screen readers read too.
 */
export function toSvg(picture: Picture): string {
  const placed = placePicture(picture);
  const starters = picture.starters.map((starter) => `started by ${starter}`);
  const heads = [picture.title, ...starters];
  const top = titleLine + starters.length * fonts.note.line + margin;
  const width = Math.ceil(Math.max(placed.width, ...heads.map((line) => widthOf(line, "title") * 1.2)) + 2 * margin);
  const height = Math.ceil(placed.height + top + margin);
  const left = Math.max(margin, (width - placed.width) / 2);
  const head =
    words([picture.title], "head", { x: margin, y: titleLine }) +
    words(starters, "note", { x: margin, y: titleLine + fonts.note.line + 3 });
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escape(picture.title)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${escape(picture.title)}</title>
<desc>${escape(picture.description === "" ? `The workflow ${picture.title}` : picture.description)}</desc>
<style>${style}</style>
<rect class="paper" width="100%" height="100%"/>
${head}
${drawList(placed, { x: left, y: top }, false)}
</svg>
`;
}
