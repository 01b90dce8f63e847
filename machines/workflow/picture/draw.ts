import { isChoices, isComputedTarget } from "../compile/sources.ts";
import { nextTargets } from "../compile/targets.ts";
import type { BranchStep, Definition, Step } from "../definition.ts";
import { endState, failState } from "../kinds/regions.ts";
import type { InnerList, KindTable, StepKind } from "../kinds/kind.ts";
import { builtinKinds } from "../kinds/table.ts";
import { describeCodes, notesOf, shorten, startersOf } from "./notes.ts";
import type { Picture, PictureArrow, PictureList, PictureNode } from "./picture.ts";

/** Longest label of an arrow. */
const labelCharactersMax = 40;

interface Leading {
  readonly to: string;
  readonly label: string;
  readonly isFailure: boolean;
}

function leading(to: string, label = "", isFailure = false): Leading {
  return { to, label: shorten(label, labelCharactersMax), isFailure };
}

/** Where a step leads when all goes well, and under which condition. */
function waysOf(step: Step, kind: StepKind, known: ReadonlySet<string>): readonly Leading[] {
  const { next } = step;
  if (step.type === "decision") {
    const { branches, default: otherwise } = (step as BranchStep).decision;
    const ways = Object.entries(branches).map(([value, to]) => leading(to, value));
    return otherwise === undefined ? ways : [...ways, leading(otherwise, "otherwise")];
  }
  if (kind.targets !== undefined) return kind.targets(step).map((to) => leading(to));
  if (isChoices(next)) {
    const ways = next.map(({ when, to }) => leading(to, when ?? "otherwise"));
    return next.every(({ when }) => when !== undefined) ? [...ways, leading(endState, "otherwise")] : ways;
  }
  const label = isComputedTarget(next) ? "computed" : "";
  return nextTargets(step, kind, known).map((to) => leading(to, label));
}

function routesOf(step: Step): readonly Leading[] {
  return (step.onError ?? []).flatMap(({ action, next, error }) =>
    action === "next" && next !== undefined ? [leading(next, `on ${describeCodes(error)}`, true)] : [],
  );
}

/** Draws the lists of one definition; paths make ids unique. */
class Drawing {
  readonly #kinds: KindTable;

  constructor(kinds: KindTable) {
    this.#kinds = kinds;
  }

  list(steps: readonly Step[], place: { prefix: string; title: string; after: readonly string[] }): PictureList {
    const { prefix, title, after } = place;
    const known = new Set(steps.map(({ id }) => id));
    const arrows: PictureArrow[] = [];
    const nodes = steps.flatMap((step): PictureNode[] => {
      const kind = this.#kinds.get(step.type);
      if (kind === undefined) return [];
      for (const { to, label, isFailure } of [...waysOf(step, kind, known), ...routesOf(step)])
        arrows.push({ from: prefix + step.id, to: prefix + to, label, isFailure });
      return [this.#node(step, kind, prefix)];
    });
    return { title, after, arrows, nodes: [...nodes, ...endsOf(arrows, prefix)] };
  }

  #node(step: Step, kind: StepKind, prefix: string): PictureNode {
    const id = prefix + step.id;
    const lists = kind.lists?.(step) ?? [];
    const titles = new Map(lists.flatMap(({ branch }) => (branch === undefined ? [] : [[branch.id, branch.name]])));
    const notes = notesOf(step, kind);
    return {
      id,
      kind: "step",
      type: step.type,
      title: step.name,
      notes: notes[0] === step.name ? notes.slice(1) : notes,
      lists: lists.map((inner, at) => this.#inner(inner, `${id}/${inner.branch?.id ?? at}/`, titles)),
    };
  }

  #inner({ steps, branch }: InnerList, prefix: string, titles: ReadonlyMap<string, string>): PictureList {
    const after = (branch?.after ?? []).map((id) => titles.get(id) ?? id);
    return this.list(steps, { prefix, title: branch?.name ?? "", after });
  }
}

/** An end is drawn where an arrow with a word leads to it; else the path is seen to end. */
function endsOf(arrows: PictureArrow[], prefix: string): PictureNode[] {
  const isOutermost = prefix === "";
  const ends = [
    { to: prefix + endState, kind: "end", title: isOutermost ? "done" : "" },
    { to: prefix + failState, kind: "fail", title: "fails" },
  ] as const;
  return ends.flatMap(({ to, kind, title }): PictureNode[] => {
    const leadingThere = arrows.filter((arrow) => arrow.to === to);
    const isNeeded = kind === "fail" || isOutermost || leadingThere.some(({ label }) => label !== "");
    if (leadingThere.length > 0 && isNeeded) return [{ id: to, kind, type: "", title, notes: [], lists: [] }];
    for (const arrow of leadingThere) arrows.splice(arrows.indexOf(arrow), 1);
    return [];
  });
}

function handlersOf({ errorHandlers = [], steps }: Definition): { nodes: PictureNode[]; arrows: PictureArrow[] } {
  const own = new Set(steps.map(({ id }) => id));
  const nodes: PictureNode[] = [];
  const arrows: PictureArrow[] = [];
  for (const [at, { error, handler }] of errorHandlers.entries()) {
    const from = `$failure${at}`;
    const codes = error.includes("*") ? "any step fails" : `a step fails: ${error.join(", ")}`;
    nodes.push({
      id: from,
      kind: "failure",
      type: "",
      title: shorten(codes, labelCharactersMax),
      notes: [],
      lists: [],
    });
    const to = own.has(handler) ? handler : `$handler${at}`;
    if (to !== handler)
      nodes.push({ id: to, kind: "handler", type: "", title: handler, notes: ["another workflow"], lists: [] });
    arrows.push({ from, to, label: "", isFailure: true });
  }
  return { nodes, arrows };
}

/**
 * What a picture of a definition shows: every step once, arrows in the order of the steps.
 * @param kinds The kinds that the definition uses; default: the built-in ones.
 */
export function drawDefinition(definition: Definition, kinds: KindTable = builtinKinds): Picture {
  const list = new Drawing(kinds).list(definition.steps, { prefix: "", title: "", after: [] });
  const handlers = handlersOf(definition);
  const [first] = definition.steps;
  const begin: PictureNode = { id: "$start", kind: "start", type: "", title: "", notes: [], lists: [] };
  const entry = first === undefined ? [] : [{ from: begin.id, to: first.id, label: "", isFailure: false }];
  return {
    title: `${definition.name}, version ${definition.version}`,
    description: definition.description ?? "",
    starters: startersOf(definition),
    list: {
      ...list,
      nodes: [begin, ...list.nodes, ...handlers.nodes],
      arrows: [...entry, ...list.arrows, ...handlers.arrows],
    },
  };
}

/** How many nodes a picture has, those inside others included. */
export function countNodes({ nodes }: PictureList): number {
  return nodes.reduce((sum, { lists }) => sum + 1 + lists.reduce((inner, list) => inner + countNodes(list), 0), 0);
}
