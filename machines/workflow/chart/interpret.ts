import { type Chart, type ChartArrow, type ChartNode, isBelow, readValue, writeValue } from "./chart.ts";
import type { NamedAction, NamedGuard, StateValue } from "./config.ts";

/** An event as a chart sees it: the rest of it is for the actions and guards. */
export interface ChartEvent {
  readonly type: string;
}

/** Who performs the named actions and guards of a chart, and keeps the events that they raise, in order. */
export interface ChartHost {
  act(action: NamedAction, event: ChartEvent): void;
  allows(guard: NamedGuard, event: ChartEvent): boolean;
  raise(event: ChartEvent): void;
  take(): ChartEvent | undefined;
}

/** Arrows led to arrows more often than the chart allows: a cycle that waits for nothing. */
export class EndlessChart extends Error {
  override readonly name = "EndlessChart";
}

interface Running {
  readonly chart: Chart;
  readonly host: ChartHost;
  active: ChartNode[];
}

function firstAllowed(
  arrows: readonly ChartArrow[] | undefined,
  event: ChartEvent,
  host: ChartHost,
): ChartArrow | undefined {
  return arrows?.find((arrow) => arrow.guard === undefined || host.allows(arrow.guard, event));
}

/** XState v5: an inner arrow wins over an outer one, and each region of a parallel state chooses for itself. */
function selectArrows(node: ChartNode, event: ChartEvent, running: Running): readonly ChartArrow[] {
  const inner = running.active
    .filter((child) => child.parent === node)
    .flatMap((child) => selectArrows(child, event, running));
  if (inner.length > 0) return inner;
  const own = firstAllowed(node.on.get(event.type), event, running.host);
  return own === undefined ? [] : [own];
}

/** The fast way where one path of states is active: from the leaf upwards. */
function selectOnPath(event: ChartEvent, running: Running): readonly ChartArrow[] {
  for (let at = running.active.length - 1; at >= 0; at -= 1) {
    const own = firstAllowed(running.active[at]?.on.get(event.type), event, running.host);
    if (own !== undefined) return [own];
  }
  return [];
}

function isOnePath(active: readonly ChartNode[]): boolean {
  return active.every((node) => node.type !== "parallel");
}

function selectAlways(event: ChartEvent, running: Running): readonly ChartArrow[] {
  if (!running.chart.always) return [];
  const chosen = new Set<ChartArrow>();
  for (const leaf of running.active.filter((node) => node.children.length === 0)) {
    for (let node: ChartNode | undefined = leaf; node !== undefined; node = node.parent) {
      const arrow = firstAllowed(node.always, event, running.host);
      if (arrow === undefined) continue;
      chosen.add(arrow);
      break;
    }
  }
  return [...chosen];
}

function leftBy(arrow: ChartArrow, active: readonly ChartNode[]): ChartNode[] {
  if (!arrow.hasTarget) return [];
  const { domain } = arrow;
  if (domain === undefined) return [...active];
  return active.filter((node) => isBelow(node, domain) || (arrow.leavesDomain && node === domain));
}

/** Of arrows that would leave the same state, the one from further inside wins, else the earlier one. Source: SCXML 1.0. */
function removeConflicts(arrows: readonly ChartArrow[], active: readonly ChartNode[]): readonly ChartArrow[] {
  if (arrows.length < 2) return arrows;
  let kept: ChartArrow[] = [];
  for (const arrow of new Set(arrows)) {
    const leaves = new Set(leftBy(arrow, active));
    const rivals = kept.filter((other) => leftBy(other, active).some((node) => leaves.has(node)));
    if (rivals.some((other) => !isBelow(arrow.source, other.source))) continue;
    kept = [...kept.filter((other) => !rivals.includes(other)), arrow];
  }
  return kept;
}

function isDone(node: ChartNode, active: readonly ChartNode[]): boolean {
  if (node.type === "parallel") return node.children.every((child) => isDone(child, active));
  if (node.type === "compound") return active.some((child) => child.parent === node && child.type === "final");
  return node.type === "final" && active.includes(node);
}

function announceDone(final: ChartNode, running: Running, announced: Set<ChartNode>): void {
  const { parent } = final;
  if (parent?.type === "compound") running.host.raise({ type: parent.doneEvent });
  let ancestor = parent?.type === "parallel" ? parent : parent?.parent;
  while (ancestor?.type === "parallel" && !announced.has(ancestor) && isDone(ancestor, running.active)) {
    announced.add(ancestor);
    running.host.raise({ type: ancestor.doneEvent });
    ancestor = ancestor.parent;
  }
}

function enter(nodes: readonly ChartNode[], event: ChartEvent, running: Running): void {
  const announced = new Set<ChartNode>();
  for (const node of nodes) {
    if (!running.active.includes(node)) running.active.push(node);
    for (const action of node.entry) running.host.act(action, event);
    if (node.type === "final") announceDone(node, running, announced);
  }
}

const byOrder = (one: ChartNode, other: ChartNode): number => one.order - other.order;

/** The states that are left, in document order. */
function leftByAll(arrows: readonly ChartArrow[], active: readonly ChartNode[]): readonly ChartNode[] {
  const [only] = arrows;
  if (arrows.length === 1 && only !== undefined) return leftBy(only, active);
  return [...new Set(arrows.flatMap((arrow) => leftBy(arrow, active)))].toSorted(byOrder);
}

function enteredByAll(arrows: readonly ChartArrow[]): readonly ChartNode[] {
  const [only] = arrows;
  if (arrows.length === 1 && only !== undefined) return only.enters;
  return arrows.flatMap((arrow) => arrow.enters).toSorted(byOrder);
}

function follow(arrows: readonly ChartArrow[], event: ChartEvent, running: Running): void {
  const { host } = running;
  const left = leftByAll(arrows, running.active);
  for (let at = left.length - 1; at >= 0; at -= 1) for (const action of left[at]?.exit ?? []) host.act(action, event);
  if (left.length > 0) running.active = running.active.filter((node) => !left.includes(node));
  for (const arrow of arrows) for (const action of arrow.actions) host.act(action, event);
  const entered = enteredByAll(arrows);
  enter(entered, event, running);
  if (entered.length > 0) running.active.sort(byOrder);
}

function isOver(running: Running): boolean {
  return isDone(running.chart.root, running.active);
}

function runToRest(first: ChartEvent, running: Running): void {
  const { host, chart } = running;
  let event = first;
  for (let steps = 0; !isOver(running); steps += 1) {
    if (steps > chart.microstepsMax)
      throw new EndlessChart(
        `more than ${chart.microstepsMax} arrows after one event, none of which waits for anything`,
      );
    let arrows = removeConflicts(selectAlways(event, running), running.active);
    if (arrows.length === 0) {
      const raised = host.take();
      if (raised === undefined) return;
      event = raised;
      arrows = select(event, running);
    }
    if (arrows.length > 0) follow(arrows, event, running);
  }
}

function select(event: ChartEvent, running: Running): readonly ChartArrow[] {
  if (isOnePath(running.active)) return selectOnPath(event, running);
  return removeConflicts(selectArrows(running.chart.root, event, running), running.active);
}

/** Where a chart rests after one event, and whether that is its end. */
export interface Rest {
  readonly value: StateValue;
  readonly done: boolean;
}

function restOf(running: Running): Rest {
  return { value: writeValue(running.chart, running.active), done: isOver(running) };
}

/** Enters the chart and runs until it waits. */
export function startChart(chart: Chart, event: ChartEvent, host: ChartHost): Rest {
  const running: Running = { chart, host, active: [] };
  enter(chart.starts, event, running);
  runToRest(event, running);
  return restOf(running);
}

/** Takes one event and runs until the chart waits again. The same event from the same value does the same. */
export function advanceChart(chart: Chart, at: { value: StateValue; event: ChartEvent }, host: ChartHost): Rest {
  const running: Running = { chart, host, active: readValue(chart, at.value) };
  if (isOver(running)) return { value: at.value, done: true };
  const arrows = select(at.event, running);
  if (arrows.length > 0) follow(arrows, at.event, running);
  runToRest(at.event, running);
  return restOf(running);
}
