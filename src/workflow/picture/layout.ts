import type { Picture, PictureArrow, PictureList, PictureNode } from "../../../machines/workflow/picture/picture.ts";
import { layThem, type Point } from "./layers.ts";
import { fonts, widthOf, wrap } from "./words.ts";

/** Where things are, in pixels; `x` and `y` are of the upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedNode extends Box {
  readonly node: PictureNode;
  readonly title: readonly string[];
  readonly notes: readonly string[];
  readonly lists: readonly PlacedList[];
}

export interface PlacedArrow {
  readonly arrow: PictureArrow;
  readonly points: readonly Point[];
  readonly label: (Box & { readonly lines: readonly string[] }) | undefined;
}

export interface PlacedList extends Box {
  readonly title: readonly string[];
  readonly nodes: readonly PlacedNode[];
  readonly arrows: readonly PlacedArrow[];
  /** From the lists that end before it. */
  readonly from: readonly (readonly Point[])[];
}

/** Room for the words of a node, and of the label of an arrow. */
const textWidth = 220;
const labelWidth = 170;
const pad = 12;
/** A dot where a list begins or ends. */
const dot = 18;
const gap = 26;
const headGap = 8;

interface Sized extends Omit<PlacedNode, "x" | "y"> {}

function sizeNode(node: PictureNode): Sized {
  const hasDot = node.title === "" || node.kind === "start";
  if (hasDot) return { node, title: [], notes: [], lists: [], width: dot, height: dot };
  const inner = placeLists(node);
  const room = Math.max(textWidth, inner.width - 2 * pad);
  const title = wrap(node.title, "title", { width: room, lines: 3 });
  const notes = node.notes.flatMap((note) => wrap(note, "note", { width: room, lines: 3 }));
  const words = Math.max(
    ...title.map((line) => widthOf(line, "title")),
    ...notes.map((line) => widthOf(line, "note")),
    widthOf(node.type, "kind"),
    60,
  );
  const kind = node.kind === "step" ? fonts.kind.line : 0;
  const head = pad + kind + title.length * fonts.title.line + notes.length * fonts.note.line;
  if (inner.lists.length === 0) return { node, title, notes, lists: [], width: words + 2 * pad, height: head + pad };
  const width = Math.max(inner.width, words + 2 * pad);
  const left = (width - inner.width) / 2;
  const lists = inner.lists.map((list) => moveList(list, left, head + headGap));
  return { node, title, notes, lists, width, height: head + headGap + inner.height };
}

/** The lists inside a node: side by side, those that come after others below them. */
function placeLists({ lists }: PictureNode): { lists: PlacedList[]; width: number; height: number } {
  if (lists.length === 0) return { lists: [], width: 0, height: 0 };
  const sized = lists.map((list) => placeList(list, pad));
  const edges = lists.flatMap(({ after }, at) =>
    beforeOf(lists, after).map((before) => ({ from: String(before), to: String(at) })),
  );
  const layers = layThem(new Map(sized.map((list, at) => [String(at), list])), edges, {
    nodesep: gap / 2,
    ranksep: gap,
    marginx: pad,
    marginy: 0,
  });
  const placed = sized.map((list, at) => {
    const corner = cornerOf(layers.nodes.get(String(at)));
    const from = edges.flatMap(({ to }, edge) => (to === String(at) ? [layers.edges[edge]?.points ?? []] : []));
    return { ...list, ...corner, from };
  });
  return { lists: placed, width: layers.width, height: layers.height + pad };
}

/** The upper left corner of what is given by its middle. */
function cornerOf(placed: Box | undefined): Point {
  const { x, y, width, height } = placed ?? { x: 0, y: 0, width: 0, height: 0 };
  return { x: x - width / 2, y: y - height / 2 };
}

function beforeOf(lists: readonly PictureList[], after: readonly string[]): number[] {
  return after.map((title) => lists.findIndex((list) => list.title === title)).filter((at) => at !== -1);
}

function moveList(list: PlacedList, x: number, y: number): PlacedList {
  const from = list.from.map((line) => line.map((point) => ({ x: point.x + x, y: point.y + y })));
  return { ...list, x: list.x + x, y: list.y + y, from };
}

/** One list, laid out in layers from top to bottom. What is inside it stands relative to its corner. */
function placeList(list: PictureList, margin: number): PlacedList {
  const sized = new Map(list.nodes.map((node) => [node.id, sizeNode(node)]));
  const labels = list.arrows.map(({ label }) => labelOf(label));
  const edges = list.arrows.map(({ from, to }, at) => {
    const label = labels[at];
    return label === undefined ? { from, to } : { from, to, label: { width: label.width, height: label.height } };
  });
  const spaces = { nodesep: 34, ranksep: 34, edgesep: 18, marginx: margin, marginy: margin };
  const layers = layThem(sized, edges, spaces);
  const title = list.title === "" ? [] : wrap(list.title, "note", { width: textWidth, lines: 2 });
  const head = title.length * fonts.note.line + (title.length > 0 ? headGap : 0);
  const down = (point: Point): Point => ({ x: point.x, y: point.y + head });
  const nodes = [...sized].map(([id, size]): PlacedNode => ({ ...size, ...down(cornerOf(layers.nodes.get(id))) }));
  const arrows = layers.edges.map((edge, at): PlacedArrow => {
    const size = labels[at];
    const label = size === undefined ? undefined : { ...size, ...down(cornerOf({ ...edge, ...size })) };
    return { arrow: list.arrows[at] as PictureArrow, points: edge.points.map(down), label };
  });
  const named = Math.max(...title.map((line) => widthOf(line, "note") + 2 * pad), 0);
  const width = Math.max(layers.width, named);
  return { x: 0, y: 0, width, height: layers.height + head, title, nodes, arrows, from: [] };
}

function labelOf(label: string): { width: number; height: number; lines: string[] } | undefined {
  if (label === "") return undefined;
  const lines = wrap(label, "note", { width: labelWidth, lines: 3 });
  const width = Math.max(...lines.map((line) => widthOf(line, "note"))) + 8;
  return { lines, width, height: lines.length * fonts.note.line + 4 };
}

/** Where everything of a picture stands. */
export function placePicture(picture: Picture): PlacedList {
  return placeList(picture.list, pad * 2);
}
