import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createTroupe } from "troupe";
import type { Turn, TurnResult } from "../../src/ports/store.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { opList, type Word } from "../../src/store/sqlite/ops.ts";
import { packTurn } from "../../src/store/sqlite/pack.ts";
import { schema } from "../../src/store/sqlite/schema.ts";
import type { Arm } from "../measuring/arm.ts";
import { cpuMs, wallMs } from "../measuring/clocks.ts";
import { withFolder } from "./folder.ts";
import { inFlight, stepsCount } from "./scales.ts";
import { adder, chainOf, runChain } from "./troupe.ts";

/** Runs whose rows are made ready at a time, outside of what is measured. */
const preparedRuns = 500;

/** Keeps the turns of what is written through it. */
class RecordingStore extends MemoryStore {
  readonly turns: Turn[] = [];

  override commit(turn: Turn): Promise<TurnResult> {
    this.turns.push(turn);
    return super.commit(turn);
  }
}

/** The turns of one whole run, as the engine writes them. */
async function recordRun(): Promise<{ readonly id: string; readonly turns: readonly Turn[] }> {
  const store = new RecordingStore(systemClock);
  await using troupe = await createTroupe({ agents: [adder], store });
  await troupe.spawn(adder);
  const definition = chainOf(stepsCount);
  await troupe.workflows.define(definition);
  store.turns.length = 0;
  await runChain(troupe, definition, stepsCount);
  const id = store.turns[0]?.createRuns?.[0]?.id;
  if (id === undefined) throw new Error("the run wrote no row of its own");
  return { id, turns: store.turns };
}

/** The writes of one run under another id: each one the number of its statement, and its values. */
type Write = readonly [statement: number, values: readonly Word[]];

function writesOf(words: readonly Word[]): Write[] {
  const writes: Write[] = [];
  for (let at = 1; at < words.length;) {
    const number = words[at] as number;
    const { takes } = opList[number] as (typeof opList)[number];
    writes.push([number, words.slice(at + 1, at + 1 + takes)]);
    at += 1 + takes;
  }
  return writes;
}

/** The least that writing the same rows can cost: prepared statements in a loop, as many turns to a commit as ours has. */
export function writeRaw(synchronous: "FULL" | "NORMAL"): Arm {
  return ({ regionMs }) =>
    withFolder(async (folder) => {
      const { id, turns } = await recordRun();
      const recorded = turns.map((turn) => {
        const words: Word[] = [];
        packTurn(turn, words);
        return writesOf(words);
      });
      const db = new DatabaseSync(join(folder, "raw.db"));
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; ${schema}`);
      const statements = opList.map(({ sql }) => db.prepare(sql));
      let made = 0;
      const prepare = (): Write[][][] =>
        Array.from({ length: preparedRuns }, () => {
          const own = (made += 1).toString(36).padStart(id.length, "0");
          const rename = (word: Word): Word => (typeof word === "string" ? word.replaceAll(id, own) : word);
          return recorded.map((writes) => writes.map(([number, values]): Write => [number, values.map(rename)]));
        });
      const writeAll = (runs: readonly (readonly (readonly Write[])[])[]): void => {
        for (let from = 0; from < runs.length; from += inFlight) {
          const wave = runs.slice(from, from + inFlight);
          for (let turn = 0; turn < recorded.length; turn += 1) {
            db.exec("BEGIN IMMEDIATE");
            for (const run of wave) for (const [number, values] of run[turn] ?? []) statements[number]?.run(...values);
            db.exec("COMMIT");
          }
        }
      };
      writeAll(prepare());
      let [cpu, wall, runs] = [0, 0, 0];
      while (cpu < regionMs) {
        const prepared = prepare();
        const [cpuFrom, wallFrom] = [cpuMs(), wallMs()];
        writeAll(prepared);
        cpu += cpuMs() - cpuFrom;
        wall += wallMs() - wallFrom;
        runs += preparedRuns;
      }
      const left = db.prepare("SELECT count(*) AS count FROM run WHERE status <> 'completed'").get();
      db.close();
      if (Number(left?.["count"]) !== 0) throw new Error(`${Number(left?.["count"])} runs were not written whole`);
      return { run: { value: (cpu * 1_000) / runs, wall: (wall * 1_000) / runs } };
    });
}
