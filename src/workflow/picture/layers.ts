import * as dagre from "@dagrejs/dagre";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A middle and a size, in pixels. */
export interface Placed extends Point {
  readonly width: number;
  readonly height: number;
}

interface Graph {
  setGraph(label: object): void;
  graph(): { readonly width?: number; readonly height?: number };
  setNode(name: string, label: object): void;
  node(name: string): Placed;
  setEdge(from: string, to: string, label: object, name: string): void;
  edge(from: string, to: string, name: string): Placed & { readonly points: readonly Point[] };
}

// What is used of it: the declarations that it ships do not resolve under Node's module rules.
const { graphlib, layout } = dagre as unknown as {
  readonly graphlib: { readonly Graph: new (options: object) => Graph };
  readonly layout: (graph: Graph) => void;
};

export interface LayerEdge {
  readonly from: string;
  readonly to: string;
  /** The size of its label. */
  readonly label?: { readonly width: number; readonly height: number };
}

export interface Layers {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, Placed>;
  /** In the order of the edges given; the place is that of the label. */
  readonly edges: readonly (Placed & { readonly points: readonly Point[] })[];
}

/** Lays nodes out in layers from top to bottom, so that edges lead down where they can. */
export function layThem(
  nodes: ReadonlyMap<string, { readonly width: number; readonly height: number }>,
  edges: readonly LayerEdge[],
  spaces: object,
): Layers {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", ...spaces });
  for (const [name, { width, height }] of nodes) graph.setNode(name, { width, height });
  for (const [at, { from, to, label }] of edges.entries())
    graph.setEdge(from, to, label === undefined ? {} : { ...label, labelpos: "c" }, String(at));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    nodes: new Map([...nodes.keys()].map((name) => [name, graph.node(name)])),
    edges: edges.map(({ from, to }, at) => graph.edge(from, to, String(at))),
  };
}
