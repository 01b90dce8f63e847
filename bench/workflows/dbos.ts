import type { Arm } from "../measuring/arm.ts";
import { measureRuns } from "./in-flight.ts";
import { loadPeer } from "./peers.ts";
import { resultText, stepsCount } from "./scales.ts";

/** What the bench uses of DBOS. */
interface Dbos {
  readonly DBOS: {
    setConfig(config: object): void;
    registerWorkflow(work: () => Promise<number>, options: object): () => Promise<number>;
    runStep<Value>(work: () => Promise<Value>, options: object): Promise<Value>;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
  };
}

interface Pg {
  readonly Client: new (options: object) => {
    connect(): Promise<void>;
    query(sql: string): Promise<unknown>;
    end(): Promise<void>;
  };
}

/** The server, without a database; TROUPE_BENCH_POSTGRES names another one. */
const server = process.env["TROUPE_BENCH_POSTGRES"] ?? "postgres://postgres@127.0.0.1:5432";
const database = "troupe_bench_dbos";

async function recreateDatabase(create: boolean): Promise<void> {
  const { Client } = loadPeer<Pg>("pg");
  const client = new Client({ connectionString: `${server}/postgres` });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  if (create) await client.query(`CREATE DATABASE ${database}`);
  await client.end();
}

/** A workflow of ten steps on PostgreSQL. Its server's work is not in the CPU time. */
export const runDbos: Arm = async (scale) => {
  const { DBOS } = loadPeer<Dbos>("@dbos-inc/dbos-sdk");
  await recreateDatabase(true);
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: `${server}/${database}`,
    logLevel: "error",
    runAdminServer: false,
    enableOTLP: false,
  });
  const workflow = DBOS.registerWorkflow(
    async () => {
      let n = 0;
      for (let step = 1; step <= stepsCount; step += 1)
        ({ n } = await DBOS.runStep(async () => ({ n: n + 1, text: resultText }), { name: `s${step}` }));
      return n;
    },
    { name: "w" },
  );
  await DBOS.launch();
  try {
    const one = async (): Promise<void> => {
      const n = await workflow();
      if (n !== stepsCount) throw new Error(`DBOS gave ${n}`);
    };
    return { run: await measureRuns(one, scale) };
  } finally {
    await DBOS.shutdown();
    await recreateDatabase(false);
  }
};
