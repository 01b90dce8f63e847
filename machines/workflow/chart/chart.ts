import type { Arrow, MachineConfig, NamedAction, NamedGuard, StateNode, StateValue } from "./config.ts";

/** A config made ready to run: arrows point to nodes, and what each arrow enters is worked out once. */
export interface ChartNode {
  readonly key: string;
  readonly id: string;
  readonly type: "atomic" | "compound" | "parallel" | "final";
  readonly parent: ChartNode | undefined;
  /** Position in document order; descendants have `order + 1` to `last`. */
  readonly order: number;
  readonly last: number;
  readonly children: readonly ChartNode[];
  readonly initial: ChartNode | undefined;
  readonly entry: readonly NamedAction[];
  readonly exit: readonly NamedAction[];
  readonly on: ReadonlyMap<string, readonly ChartArrow[]>;
  readonly always: readonly ChartArrow[];
  /** The event that says that this state is done. */
  readonly doneEvent: string;
  child(key: string): ChartNode | undefined;
}

export interface ChartArrow {
  readonly source: ChartNode;
  readonly guard: NamedGuard | undefined;
  readonly actions: readonly NamedAction[];
  /** Active states below it are left; undefined: everything is, the root too. */
  readonly domain: ChartNode | undefined;
  readonly leavesDomain: boolean;
  readonly hasTarget: boolean;
  /** States that it enters, in document order. */
  readonly enters: readonly ChartNode[];
}

export interface Chart {
  readonly root: ChartNode;
  /** Microsteps that one event may take: more is a cycle of arrows that wait for nothing. */
  readonly microstepsMax: number;
  readonly always: boolean;
  /** What starting enters, in document order. */
  readonly starts: readonly ChartNode[];
}

/** Fewest microsteps that any chart may take; large charts may take four for each state. */
const microstepsMin = 1_000;

export function microstepsOf(states: number): number {
  return Math.max(microstepsMin, states * 4);
}

type Mutable = { -readonly [Field in keyof ChartNode]: ChartNode[Field] };

interface Building {
  count: number;
  always: boolean;
  readonly ids: Map<string, ChartNode>;
}

/** A config that is not in the subset, or points to a state that is not there. `path` is of state names. */
export class ChartProblem extends Error {
  override readonly name = "ChartProblem";
  readonly path: readonly string[];

  constructor(message: string, path: readonly string[]) {
    super(message);
    this.path = path;
  }
}

function typeOf(state: StateNode): ChartNode["type"] {
  if (state.type === "parallel" || state.type === "final") return state.type;
  return state.states === undefined || Object.keys(state.states).length === 0 ? "atomic" : "compound";
}

function buildNode(
  state: StateNode,
  at: { key: string; parent: ChartNode | undefined },
  building: Building,
): ChartNode {
  const { key, parent } = at;
  const id = parent === undefined ? key : `${parent.id}.${key}`;
  const byKey = new Map<string, ChartNode>();
  const node: Mutable = {
    key,
    id,
    type: typeOf(state),
    parent,
    order: building.count,
    last: building.count,
    children: [],
    initial: undefined,
    entry: state.entry ?? [],
    exit: state.exit ?? [],
    on: new Map(),
    always: [],
    doneEvent: `xstate.done.state.${id}`,
    child: (name) => byKey.get(name),
  };
  building.count += 1;
  building.ids.set(id, node);
  node.children = Object.entries(state.states ?? {}).map(([name, child]) => {
    const inner = buildNode(child, { key: name, parent: node }, building);
    byKey.set(name, inner);
    return inner;
  });
  node.last = building.count - 1;
  if (node.type === "compound") {
    node.initial = byKey.get(state.initial ?? "");
    if (node.initial === undefined)
      throw new ChartProblem(`initial: there is no state \`${state.initial ?? ""}\` in \`${id}\``, pathOf(node));
  }
  return node;
}

function pathOf(node: ChartNode): string[] {
  return node.parent === undefined ? [] : [...pathOf(node.parent), node.key];
}

export function isBelow(node: ChartNode, ancestor: ChartNode): boolean {
  return node.order > ancestor.order && node.order <= ancestor.last;
}

function resolveTarget(target: string, source: ChartNode, building: Building): ChartNode {
  const fail = (): never => {
    throw new ChartProblem(`there is no state \`${target}\` for an arrow of \`${source.id}\``, pathOf(source));
  };
  if (target.startsWith("#")) {
    const node = building.ids.get(target.slice(1)) ?? fail();
    if (node.parent === undefined) throw new ChartProblem("an arrow cannot lead to the machine itself", pathOf(source));
    return node;
  }
  const inner = target.startsWith(".");
  let node: ChartNode | undefined = inner ? source : source.parent;
  for (const key of (inner ? target.slice(1) : target).split(".")) node = node?.child(key);
  return node ?? fail();
}

/** States entered by default below `node`, itself left out. */
function addDefaults(node: ChartNode, into: Set<ChartNode>): void {
  const next = node.type === "parallel" ? node.children : node.initial === undefined ? [] : [node.initial];
  for (const child of next) {
    if ([...into].some((entered) => entered === child || isBelow(entered, child))) continue;
    into.add(child);
    addDefaults(child, into);
  }
}

/** What an arrow to `target` enters: the target, what lies between it and the domain, and defaults. Source: SCXML 1.0, computeEntrySet. */
function enteredBy(target: ChartNode, domain: ChartNode | undefined, withTarget: boolean): ChartNode[] {
  const into = new Set<ChartNode>();
  if (withTarget) into.add(target);
  addDefaults(target, into);
  for (
    let node = target === domain ? undefined : target.parent;
    node !== undefined && node !== domain;
    node = node.parent
  ) {
    into.add(node);
    if (node.type === "parallel") addDefaults(node, into);
  }
  if (domain?.type === "parallel") addDefaults(domain, into);
  return [...into].toSorted((left, right) => left.order - right.order);
}

function domainOf(source: ChartNode, target: ChartNode, reenter: boolean): ChartNode | undefined {
  if (!reenter && (target === source || isBelow(target, source))) return source;
  for (let node = target.parent; node !== undefined; node = node.parent) if (isBelow(source, node)) return node;
  if (reenter) return undefined;
  let root = source;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

function buildArrow(arrow: Arrow, source: ChartNode, building: Building): ChartArrow {
  const { guard, actions = [], reenter = false } = arrow;
  if (arrow.target === undefined)
    return { source, guard, actions, domain: source, leavesDomain: false, hasTarget: false, enters: [] };
  const target = resolveTarget(arrow.target, source, building);
  const domain = domainOf(source, target, reenter);
  const withTarget = source !== target || source !== domain || reenter;
  return {
    source,
    guard,
    actions,
    domain,
    leavesDomain: reenter && source === domain,
    hasTarget: true,
    enters: enteredBy(target, domain, withTarget),
  };
}

function buildArrows(state: StateNode, node: ChartNode, building: Building): void {
  const build = (arrows: readonly Arrow[]): ChartArrow[] => arrows.map((arrow) => buildArrow(arrow, node, building));
  const on = new Map(Object.entries(state.on ?? {}).map(([event, arrows]) => [event, build(arrows)] as const));
  if (state.onDone !== undefined) on.set(node.doneEvent, build(state.onDone));
  Object.assign(node, { on, always: build(state.always ?? []) });
  if (node.always.length > 0) building.always = true;
  for (const child of node.children) buildArrows(state.states?.[child.key] ?? {}, child, building);
}

/** Makes a config ready to run; throws `ChartProblem` where a target or an initial state is not there. */
export function buildChart(config: MachineConfig): Chart {
  const building: Building = { count: 0, always: false, ids: new Map() };
  const root = buildNode(config, { key: config.id, parent: undefined }, building);
  buildArrows(config, root, building);
  const starts = new Set([root]);
  addDefaults(root, starts);
  return {
    root,
    microstepsMax: microstepsOf(building.count),
    always: building.always,
    starts: [...starts].toSorted((left, right) => left.order - right.order),
  };
}

/** The active states that a state value names, in document order. */
export function readValue(chart: Chart, value: StateValue): ChartNode[] {
  const active = [chart.root];
  const walk = (node: ChartNode, inner: StateValue): void => {
    for (const key of typeof inner === "string" ? [inner] : Object.keys(inner)) {
      const child = node.child(key);
      if (child === undefined) throw new ChartProblem(`there is no state \`${node.id}.${key}\``, pathOf(node));
      active.push(child);
      const below = typeof inner === "string" ? undefined : inner[key];
      if (below !== undefined && child.children.length > 0) walk(child, below);
    }
  };
  walk(chart.root, value);
  return active;
}

function valueBelow(node: ChartNode, active: readonly ChartNode[]): StateValue {
  const children = active.filter((child) => child.parent === node);
  if (node.type === "parallel")
    return Object.fromEntries(children.map((child) => [child.key, valueBelow(child, active)]));
  const [child] = children;
  if (child === undefined) return {};
  return child.children.length === 0 ? child.key : { [child.key]: valueBelow(child, active) };
}

/** The state value of active states, given in document order, as XState writes it. */
export function writeValue(chart: Chart, active: readonly ChartNode[]): StateValue {
  return valueBelow(chart.root, active);
}
