/** A directed graph of names: which are in cycles, and how far each is from the end. Source: Tarjan 1972, without recursion. */
export interface GraphFacts {
  /** Groups of nodes that reach each other; a lone node that does not lead to itself is no cycle. */
  readonly cycles: readonly (readonly string[])[];
  /** Nodes on the longest way to an end, the node itself included; a cycle counts once. */
  readonly remaining: ReadonlyMap<string, number>;
}

interface Visit {
  readonly node: string;
  readonly edges: readonly string[];
  at: number;
}

interface Marks {
  readonly index: Map<string, number>;
  readonly low: Map<string, number>;
  readonly stack: string[];
  readonly onStack: Set<string>;
}

function open(node: string, edges: readonly string[], marks: Marks): Visit {
  const index = marks.index.size;
  marks.index.set(node, index);
  marks.low.set(node, index);
  marks.stack.push(node);
  marks.onStack.add(node);
  return { node, edges, at: 0 };
}

function lower(marks: Marks, node: string, to: number): void {
  marks.low.set(node, Math.min(marks.low.get(node) ?? to, to));
}

/** Takes one finished group off the stack, when `node` is its root. */
function closeGroup(node: string, marks: Marks): string[] {
  if (marks.low.get(node) !== marks.index.get(node)) return [];
  const group = marks.stack.splice(marks.stack.indexOf(node, Math.max(0, marks.stack.lastIndexOf(node))));
  for (const member of group) marks.onStack.delete(member);
  return group;
}

export function readGraph(edges: ReadonlyMap<string, readonly string[]>): GraphFacts {
  const marks: Marks = { index: new Map(), low: new Map(), stack: [], onStack: new Set() };
  const remaining = new Map<string, number>();
  const cycles: string[][] = [];
  const edgesOf = (node: string): readonly string[] => (edges.get(node) ?? []).filter((to) => edges.has(to));
  const finish = (group: readonly string[]): void => {
    const members = new Set(group);
    const onward = group.flatMap((node) => edgesOf(node)).filter((to) => !members.has(to));
    const longest = onward.reduce((most, to) => Math.max(most, remaining.get(to) ?? 0), 0);
    for (const node of group) remaining.set(node, longest + group.length);
    if (group.length > 1 || edgesOf(group[0] ?? "").includes(group[0] ?? "")) cycles.push([...group]);
  };
  for (const start of edges.keys()) {
    if (marks.index.has(start)) continue;
    const visits = [open(start, edgesOf(start), marks)];
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const to = visit.edges[visit.at];
      visit.at += 1;
      if (to !== undefined) {
        if (!marks.index.has(to)) visits.push(open(to, edgesOf(to), marks));
        else if (marks.onStack.has(to)) lower(marks, visit.node, marks.index.get(to) ?? 0);
        continue;
      }
      visits.pop();
      const parent = visits.at(-1);
      if (parent !== undefined) lower(marks, parent.node, marks.low.get(visit.node) ?? 0);
      const group = closeGroup(visit.node, marks);
      if (group.length > 0) finish(group);
    }
  }
  return { cycles, remaining };
}
