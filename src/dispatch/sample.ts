import type { Cell } from "../system/cell.ts";
import type { Group } from "./registry.ts";
import { candidatesMax } from "./selection.ts";

/** A bounded sample of all groups' agents, beginning at a rotating place in each. */
export function sampleOf(groups: readonly Group[], turn: number): readonly Cell[] {
  return groups.flatMap((group) => {
    const { cells } = group;
    if (cells.length <= candidatesMax) return cells;
    return Array.from({ length: candidatesMax }, (_, offset) => cells[(turn + offset) % cells.length] as Cell);
  });
}
