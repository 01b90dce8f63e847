import { posix } from "node:path";
import { type Check, countOf, type Finding, measured, notApplicable, type Tools, unavailable } from "../check.ts";
import { treeFiles } from "../project/files.ts";

interface Edge {
  readonly to: string;
  readonly line: number;
}

const endings = [
  "",
  ".ts",
  ".tsx",
  ".mts",
  ".cts",
  ".js",
  ".jsx",
  ".mjs",
  ".cjs",
  "/index.ts",
  "/index.tsx",
  "/index.js",
  "/index.mjs",
];

export const importCycles: Check = {
  id: "import-cycles",
  title: "cycles among modules",
  weight: 1,
  scale: "size",
  async examine(tools) {
    const { survey } = tools;
    if (treeFiles(survey.files).length === 0) return notApplicable("no JavaScript or TypeScript source");
    if (survey.noTrees !== undefined) return unavailable(survey.noTrees);
    const graph = await readGraph(tools);
    const findings = findCycles(graph).map((cycle): Finding => {
      const [first = "", second = ""] = cycle;
      const line = graph.get(first)?.find((edge) => cycle.includes(edge.to))?.line ?? 1;
      const shown =
        cycle.length > 6 ? `${cycle.slice(0, 6).join(", ")} and ${cycle.length - 6} more` : cycle.join(", ");
      return {
        rule: "maintainability/import-cycle",
        severity: cycle.length > 10 ? "medium" : "low",
        message: `Modules load each other in a circle, so none can be read, tested or moved alone: ${shown}.`,
        file: first === "" ? second : first,
        line,
        figure: `${cycle.length} modules`,
      };
    });
    return measured(countOf([...graph.values()].flat().length, "relative import"), findings);
  },
};

async function readGraph({ survey, pace }: Tools): Promise<Map<string, readonly Edge[]>> {
  const graph = new Map<string, readonly Edge[]>();
  for (const file of treeFiles(survey.files)) {
    await pace.breathe();
    const outline = await survey.outline(file);
    if (outline === undefined) continue;
    const edges = outline.imports.flatMap(({ module, line, typeOnly, lazy }) => {
      if (typeOnly || lazy || !/^\.\.?(\/|$)/.test(module)) return [];
      const base = posix.join(posix.dirname(file.path), module);
      const written = base.replace(/\.[cm]?jsx?$/, "");
      const to = [base, written]
        .flatMap((stem) => endings.map((ending) => `${stem}${ending}`))
        .find((path) => survey.find(path) !== undefined);
      return to === undefined || to === file.path ? [] : [{ to, line }];
    });
    graph.set(file.path, edges);
  }
  return graph;
}

/** Groups of modules that reach each other, largest first. Source: Tarjan, "Depth-first search and linear graph algorithms", 1972. */
export function findCycles(graph: ReadonlyMap<string, readonly Edge[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  for (const root of graph.keys()) {
    if (index.has(root)) continue;
    const work: { node: string; next: number }[] = [{ node: root, next: 0 }];
    while (work.length > 0) {
      const frame = work[work.length - 1] as { node: string; next: number };
      const { node } = frame;
      if (frame.next === 0) {
        index.set(node, index.size);
        low.set(node, index.get(node) as number);
        stack.push(node);
        onStack.add(node);
      }
      const edge = graph.get(node)?.[frame.next++];
      if (edge !== undefined) {
        if (!index.has(edge.to)) work.push({ node: edge.to, next: 0 });
        else if (onStack.has(edge.to)) low.set(node, Math.min(low.get(node) as number, index.get(edge.to) as number));
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.node;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent) as number, low.get(node) as number));
      if (low.get(node) === index.get(node)) {
        const group = stack.splice(stack.lastIndexOf(node));
        for (const member of group) onStack.delete(member);
        if (group.length > 1) cycles.push(group.toSorted());
      }
    }
  }
  return cycles.toSorted((left, right) => right.length - left.length);
}
