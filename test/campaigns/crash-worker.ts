import { appendFileSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { createTroupe, defineAgent, type Troupe } from "troupe";
import { z } from "zod";
import { systemClock } from "../../src/ports/clock.ts";
import { SqliteStore } from "../../src/store/sqlite/store.ts";
import { readLines, type EffectLine, type OrderLine } from "./crash-log.ts";
import { inputOf, orderDefinitions, resultOf } from "./crash-orders.ts";
import { sabotageStore, type Sabotage } from "./crash-store.ts";

/** One life of the process that the crash campaign kills: `node crash-worker.ts '<WorkerPlan as JSON>'`. */
export interface WorkerPlan {
  readonly store: string;
  /** Every call of an agent, one line of JSON each. */
  readonly effects: string;
  /** What this process asked for and was told, one line of JSON each. */
  readonly orders: string;
  readonly life: number;
  /** Orders under way at once, and most orders in all lives together. */
  readonly atOnce: number;
  readonly ordersMax: number;
  /** The last life: begins nothing new, ends when everything has ended. */
  readonly isLast: boolean;
  readonly sabotage: Sabotage;
}

const plan = JSON.parse(process.argv[2] ?? "{}") as WorkerPlan;

/** What an agent does first: its call is on disk before anything can come of it. */
function log(given: { readonly order: number; readonly op: string }, key: string | undefined): void {
  const { order, op } = given;
  const line: EffectLine = { at: systemClock.now(), life: plan.life, key: key ?? "", order, op };
  appendFileSync(plan.effects, `${JSON.stringify(line)}\n`);
}

const input = z.object({ order: z.number(), op: z.string(), fails: z.boolean().optional() });
const output = z.string();

/** 0 to 3 ms, by the key, so that calls of one moment end apart. */
const pace = (key: string | undefined): Promise<void> => sleep((key ?? "").length % 4);

const worker = defineAgent({
  name: "worker",
  concurrency: 256,
  capabilities: {
    note: {
      input,
      output,
      breaker: false,
      async run({ input: given, key, fail }) {
        log(given, key);
        await pace(key);
        return given.fails === true ? fail("order/refused", "as planned") : resultOf(given.order, given.op);
      },
    },
    undo: {
      input,
      output,
      async run({ input: given, key }) {
        log(given, key);
        await pace(key);
        return resultOf(given.order, given.op);
      },
    },
    flaky: {
      input,
      output,
      // It fails on purpose: no reason to cut it off.
      breaker: false,
      async run({ input: given, key, fail }) {
        log(given, key);
        await pace(key);
        return key?.endsWith("/1") === true ? fail("order/later", "as planned") : resultOf(given.order, given.op);
      },
    },
  },
});

const tell = (line: OrderLine): void => appendFileSync(plan.orders, `${JSON.stringify(line)}\n`);

async function place(troupe: Troupe, order: number): Promise<void> {
  tell({ order, said: "asked" });
  const run = await troupe.run("order", inputOf(order), { key: `order-${order}` });
  tell({ order, said: "accepted", run: run.id });
  const outcome = await run.result();
  tell({ order, said: "ended", run: run.id, outcome });
}

/** Gives out orders: first those that an earlier life was not told the end of, then new ones. */
function* ordersOf(lines: readonly OrderLine[]): Generator<number> {
  const ended = new Set(lines.filter(({ said }) => said === "ended").map(({ order }) => order));
  const asked = new Set(lines.map(({ order }) => order));
  for (const order of asked) if (!ended.has(order)) yield order;
  if (plan.isLast) return;
  for (let order = asked.size; order < plan.ordersMax; order += 1) yield order;
}

async function live(): Promise<void> {
  const lines = readLines<OrderLine>(plan.orders);
  const store = await SqliteStore.open(plan.store, { clock: systemClock });
  await using troupe = await createTroupe({ agents: [worker], store: sabotageStore(store, plan.sabotage) });
  await troupe.spawn(worker, { restart: "permanent" });
  for (const definition of orderDefinitions) await troupe.workflows.define(definition);
  // The next lives start sooner: otherwise only a process that ends in good order would leave its cache.
  if (plan.life === 1) flushCompileCache();
  writeSync(1, "ready\n");
  const orders = ordersOf(lines);
  const serve = async (): Promise<void> => {
    for (const order of orders) await place(troupe, order);
  };
  await Promise.all(Array.from({ length: plan.atOnce }, serve));
  if (!plan.isLast) return void (await new Promise(() => setInterval(() => {}, 1_000)));
  await troupe.runs.recovered();
  while ((await troupe.runs.list({ status: ["running", "paused"] })).length > 0) await sleep(20);
}

await live();
