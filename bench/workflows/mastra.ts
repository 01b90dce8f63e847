import { join } from "node:path";
import type { Arm } from "../measuring/arm.ts";
import { withFolder } from "./folder.ts";
import { measureRuns } from "./in-flight.ts";
import { importPeer, loadPeer } from "./peers.ts";
import { resultText, stepsCount } from "./scales.ts";

interface Numbered {
  readonly n: number;
}

interface Workflow {
  then(step: unknown): Workflow;
  commit(): Workflow;
}

/** What the bench uses of Mastra. */
interface MastraWorkflows {
  readonly createWorkflow: (options: object) => Workflow;
  readonly createStep: (options: object) => unknown;
}

interface MastraCore {
  readonly Mastra: new (options: object) => {
    getWorkflow(name: string): {
      createRun(): Promise<{ start(options: object): Promise<{ status: string; result?: Numbered }> }>;
    };
  };
}

interface Zod {
  readonly z: {
    object(fields: object): unknown;
    number(): unknown;
    string(): { optional(): unknown };
  };
}

/** A workflow of ten steps in a row, with its snapshots in a libsql file. */
export const runMastra: Arm = (scale) =>
  withFolder(async (folder) => {
    process.env["MASTRA_TELEMETRY_DISABLED"] = "1";
    const { createWorkflow, createStep } = await importPeer<MastraWorkflows>("@mastra/core/workflows");
    const { Mastra } = await importPeer<MastraCore>("@mastra/core");
    const { LibSQLStore } = await importPeer<{ LibSQLStore: new (options: object) => unknown }>("@mastra/libsql");
    const { z } = loadPeer<Zod>("zod");
    const schema = z.object({ n: z.number(), text: z.string().optional() });
    let workflow = createWorkflow({ id: "w", inputSchema: schema, outputSchema: schema });
    for (let step = 1; step <= stepsCount; step += 1)
      workflow = workflow.then(
        createStep({
          id: `s${step}`,
          inputSchema: schema,
          outputSchema: schema,
          execute: async ({ inputData }: { inputData: Numbered }) => ({ n: inputData.n + 1, text: resultText }),
        }),
      );
    const storage = new LibSQLStore({ id: "bench", url: `file:${join(folder, "mastra.db")}` });
    const mastra = new Mastra({ workflows: { w: workflow.commit() }, logger: false, storage });
    const registered = mastra.getWorkflow("w");
    const one = async (): Promise<void> => {
      const { status, result } = await (await registered.createRun()).start({ inputData: { n: 0 } });
      if (status !== "success" || result?.n !== stepsCount) throw new Error(`Mastra ended with ${status}`);
    };
    return { run: await measureRuns(one, scale) };
  });
