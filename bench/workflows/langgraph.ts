import { join } from "node:path";
import type { Arm } from "../measuring/arm.ts";
import { withFolder } from "./folder.ts";
import { measureRuns } from "./in-flight.ts";
import { loadPeer } from "./peers.ts";
import { resultText, stepsCount } from "./scales.ts";

interface State {
  readonly n: number;
  readonly texts?: { readonly [step: string]: string };
}

interface Graph {
  addNode(name: string, work: (state: State) => Promise<State>): Graph;
  addEdge(from: string, to: string): Graph;
  compile(options: { readonly checkpointer?: unknown }): {
    invoke(state: State, options: object): Promise<State>;
  };
}

/** What the bench uses of LangGraph.js. */
interface LangGraph {
  readonly StateGraph: new (annotation: unknown) => Graph;
  readonly Annotation: { (options?: object): unknown; Root(fields: object): unknown };
  readonly MemorySaver: new () => unknown;
  readonly START: string;
  readonly END: string;
}

interface Saver {
  readonly SqliteSaver: { fromConnString(file: string): { readonly db: { pragma(text: string): unknown } } };
}

function build({ StateGraph, Annotation, START, END }: LangGraph, checkpointer: unknown): ReturnType<Graph["compile"]> {
  const texts = Annotation({ reducer: (one: object, other: object) => ({ ...one, ...other }), default: () => ({}) });
  const graph = new StateGraph(Annotation.Root({ n: Annotation(), texts }));
  const names = Array.from({ length: stepsCount }, (_, index) => `s${index + 1}`);
  for (const name of names) graph.addNode(name, async ({ n }) => ({ n: n + 1, texts: { [name]: resultText } }));
  for (const [index, name] of names.entries()) graph.addEdge(index === 0 ? START : (names[index - 1] ?? START), name);
  graph.addEdge(names.at(-1) ?? START, END);
  return graph.compile({ checkpointer });
}

/** A graph of ten nodes in a row, each thread with its own id; the checkpointer writes after every superstep. */
export function runLangGraph(saver: "memory" | "sqlite"): Arm {
  return (scale) =>
    withFolder(async (folder) => {
      const library = loadPeer<LangGraph>("@langchain/langgraph");
      const make = (): unknown => {
        if (saver === "memory") return new library.MemorySaver();
        const { SqliteSaver } = loadPeer<Saver>("@langchain/langgraph-checkpoint-sqlite");
        const sqlite = SqliteSaver.fromConnString(join(folder, "langgraph.db"));
        sqlite.db.pragma("journal_mode = WAL");
        sqlite.db.pragma("synchronous = NORMAL");
        return sqlite;
      };
      const graph = build(library, make());
      let threads = 0;
      const one = async (): Promise<void> => {
        const configurable = { thread_id: `t${(threads += 1)}` };
        const { n } = await graph.invoke({ n: 0 }, { configurable, durability: "sync" });
        if (n !== stepsCount) throw new Error(`LangGraph.js gave ${n}`);
      };
      return { run: await measureRuns(one, scale) };
    });
}
