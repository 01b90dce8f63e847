import type { Cell } from "../system/cell.ts";
import type { Group } from "./registry.ts";
import { knownStats, loadOf } from "./stats.ts";

/** How one of several able agents is chosen. */
export type Strategy = "round-robin" | "least-loaded" | "power-of-two" | "balanced" | "specialised" | "adaptive";

export const strategies: readonly Strategy[] = [
  "round-robin",
  "least-loaded",
  "power-of-two",
  "balanced",
  "specialised",
  "adaptive",
];

/** Agents looked at for one choice; among more, that many are drawn by chance. */
export const candidatesMax = 64;

/** What a choice may depend on besides the candidates. `chance` is uniform in [0, 1) at each call. */
export interface SelectionInput {
  /** Counts the choices made so far for this capability. */
  readonly turn: number;
  chance(): number;
  usable(cell: Cell): boolean;
}

type Select = (cells: readonly Cell[], input: SelectionInput) => Cell | undefined;

/** Expected wait for an answer: measured latency times what is ahead in the queue. */
function expectedMs(cell: Cell): number {
  return ((knownStats(cell)?.meanMs ?? 0) + 0.01) * (loadOf(cell) + 1);
}

/**
 * The usable candidates from a starting point on: all of a small list, a bounded window of a large one. Where the
 * window has none, the first usable one behind it.
 */
function windowFrom(cells: readonly Cell[], start: number, input: SelectionInput): readonly Cell[] {
  const seen: Cell[] = [];
  const span = Math.min(cells.length, candidatesMax);
  for (let offset = 0; offset < span; offset += 1) {
    const cell = cells[(start + offset) % cells.length] as Cell;
    if (input.usable(cell)) seen.push(cell);
  }
  for (let offset = span; seen.length === 0 && offset < cells.length; offset += 1) {
    const cell = cells[(start + offset) % cells.length] as Cell;
    if (input.usable(cell)) seen.push(cell);
  }
  return seen;
}

function lowest(cells: readonly Cell[], cost: (cell: Cell) => number): Cell | undefined {
  let best: Cell | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const cell of cells) {
    const own = cost(cell);
    if (own < bestCost) {
      best = cell;
      bestCost = own;
    }
  }
  return best;
}

const roundRobin: Select = (cells, input) => windowFrom(cells, input.turn % cells.length, input)[0];

/** Begins at a rotating place, so that idle agents take turns; an idle one cannot be beaten. */
const leastLoaded: Select = (cells, input) => {
  const first = cells[input.turn % cells.length] as Cell;
  if (loadOf(first) === 0 && input.usable(first)) return first;
  return lowest(windowFrom(cells, input.turn % cells.length, input), loadOf);
};

/** Two drawn by chance, the one with the shorter expected wait. Source: Mitzenmacher, "The Power of Two Choices". */
const powerOfTwo: Select = (cells, input) => {
  const draw = (): Cell => cells[Math.floor(input.chance() * cells.length)] as Cell;
  const first = draw();
  const second = draw();
  if (!input.usable(first) || !input.usable(second)) {
    return lowest(windowFrom(cells, Math.floor(input.chance() * cells.length), input), expectedMs);
  }
  return expectedMs(second) < expectedMs(first) ? second : first;
};

/** The agent with the fewest other capabilities; among equals the best record, then the shortest queue. */
const specialised: Select = (cells, input) =>
  lowest(windowFrom(cells, input.turn % cells.length, input), (cell) => {
    const breadth = cell.behaviour.skills.size;
    const misses = 1 - (knownStats(cell)?.successRate ?? 1);
    return breadth * 1_000 + misses * 100 + Math.min(loadOf(cell), 99) * 0.1;
  });

/** The shortest expected wait per success, as measured; an agent not yet measured is tried first. */
const adaptive: Select = (cells, input) =>
  lowest(
    windowFrom(cells, input.turn % cells.length, input),
    (cell) => expectedMs(cell) / Math.max(knownStats(cell)?.successRate ?? 1, 0.01),
  );

export const selectors: { readonly [Name in Strategy]: Select } = {
  "round-robin": roundRobin,
  "least-loaded": leastLoaded,
  "power-of-two": powerOfTwo,
  balanced: leastLoaded,
  specialised,
  adaptive,
};

/** A bounded sample of all groups' agents, beginning at a rotating place in each. */
export function sampleOf(groups: readonly Group[], turn: number): readonly Cell[] {
  return groups.flatMap((group) => {
    const { cells } = group;
    if (cells.length <= candidatesMax) return cells;
    return Array.from({ length: candidatesMax }, (_, offset) => cells[(turn + offset) % cells.length] as Cell);
  });
}
