import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hierarchyParents, topologyLinks, type Member, type Topology } from "../../../machines/swarm/topology.ts";

const topologies: readonly Topology[] = ["mesh", "hierarchical", "star", "ring"];
const members = fc
  .array(fc.nat(5), { minLength: 1, maxLength: 30 })
  .map((levels): Member[] => levels.map((level, index) => ({ index, level })));

function ofLevels(...levels: number[]): Member[] {
  return levels.map((level, index) => ({ index, level }));
}

describe("topologies", () => {
  test.each([
    [
      "mesh",
      [0, 0, 0],
      [
        [1, 2],
        [0, 2],
        [0, 1],
      ],
    ],
    ["star", [0, 0, 0], [[1, 2], [0], [0]]],
    ["ring", [0, 0, 0], [[1], [2], [0]]],
    ["ring", [0, 0], [[1], [0]]],
    ["hierarchical", [0, 1, 1, 2, 2, 2], [[1, 2], [0, 3, 5], [0, 4], [1], [2], [1]]],
    // Levels that nobody has are passed over.
    ["hierarchical", [0, 5, 5], [[1, 2], [0], [0]]],
    // Two at the top share those below.
    ["hierarchical", [0, 0, 1, 1, 1], [[2, 4], [3], [0], [1], [0]]],
  ] as const)("%s over levels %j links %j", (topology, levels, links) => {
    expect(topologyLinks(topology, ofLevels(...levels))).toEqual(links);
  });

  test.each(topologies)("%s: one alone is linked to nobody", (topology) => {
    expect(topologyLinks(topology, ofLevels(0))).toEqual([[]]);
  });

  test("nobody is linked to itself, to nobody, or twice; all but a ring link both ways", () => {
    fc.assert(
      fc.property(fc.constantFrom(...topologies), members, (topology, all) => {
        const links = topologyLinks(topology, all);
        expect(links).toHaveLength(all.length);
        for (const [index, others] of links.entries()) {
          expect(new Set(others).size).toBe(others.length);
          for (const other of others) {
            expect(other).not.toBe(index);
            expect(all[other]).toBeDefined();
            if (topology !== "ring") expect(links[other]).toContain(index);
          }
        }
      }),
    );
  });

  test("a hierarchy: each member below the top has one parent on the nearest level above, and parents share evenly", () => {
    fc.assert(
      fc.property(members, (all) => {
        const parents = hierarchyParents(all);
        const top = Math.min(...all.map(({ level }) => level));
        const children = new Map<number, number>();
        for (const { index, level } of all) {
          const parent = parents[index] as number;
          expect(parent === -1).toBe(level === top);
          if (parent === -1) continue;
          const above = Math.max(...all.filter((each) => each.level < level).map((each) => each.level));
          expect(all[parent]?.level).toBe(above);
          children.set(parent, (children.get(parent) ?? 0) + 1);
        }
        for (const level of new Set(all.map((each) => each.level))) {
          const counts = all.filter((each) => each.level === level).map(({ index }) => children.get(index) ?? 0);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
