import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { readLines, type EffectLine, type OrderLine } from "./crash-log.ts";
import { completeOps, fateOf, inputOf, outputOf, undoneOps } from "./crash-orders.ts";

/** One thing that the campaign found wrong. */
export interface Found {
  readonly rule: string;
  readonly message: string;
}

/** What the lives of a campaign came to. */
export interface CrashCounts {
  readonly orders: number;
  readonly runs: number;
  readonly facts: number;
  /** Calls of agents, and those among them that repeated one under the same key. */
  readonly calls: number;
  readonly repeats: number;
}

/** Findings of one rule that are written out; the others are only counted. */
const findingsPerRuleMax = 5;
/** A call logged this much later than its journaled end, in milliseconds, was not the call that ended. */
const clockSlackMs = 50;

interface RunLine {
  readonly id: string;
  readonly workflow: string;
  readonly parent: string | null;
  readonly status: string;
  readonly result: string | null;
  readonly input: { readonly order: number };
}

interface Fact {
  readonly run: string;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly body: {
    readonly taskId?: string;
    readonly childId?: string;
    readonly timerId?: string;
    readonly input?: { readonly order: number };
  };
}

/** Judges what the lives left behind, from the file's tables and from the log that the agents wrote beside it. */
export class CrashCheck {
  readonly findings: Found[] = [];
  readonly #counts = new Map<string, number>();
  readonly #facts = new Map<string, Fact[]>();
  readonly #runs: RunLine[];
  readonly #effects: readonly EffectLine[];
  readonly #orders: readonly OrderLine[];
  readonly #open: readonly (readonly [string, number])[];

  constructor(files: { readonly store: string; readonly effects: string; readonly orders: string }) {
    this.#effects = readLines<EffectLine>(files.effects);
    this.#orders = readLines<OrderLine>(files.orders);
    const db = new DatabaseSync(files.store, { readOnly: true });
    const facts = db.prepare("SELECT run, seq, at, type, body FROM fact ORDER BY run, seq").all();
    for (const row of facts) {
      const fact = { ...row, body: JSON.parse(String(row["body"])) } as unknown as Fact;
      const all = this.#facts.get(fact.run);
      if (all === undefined) this.#facts.set(fact.run, [fact]);
      else all.push(fact);
    }
    const runs = db.prepare("SELECT id, workflow, parent, status, result FROM run ORDER BY id").all();
    this.#runs = runs.map((row) => {
      const input = this.#facts.get(String(row["id"]))?.[0]?.body.input ?? { order: -1 };
      return { ...row, input } as unknown as RunLine;
    });
    this.#open = ["task", "timer", "wait"].map((table) => {
      const row = db.prepare(`SELECT count(*) AS count FROM ${table}`).get();
      return [table, Number(row?.["count"])] as const;
    });
    db.close();
  }

  get counts(): CrashCounts {
    const keys = new Set(this.#effects.map(({ key }) => key));
    return {
      orders: new Set(this.#orders.map(({ order }) => order)).size,
      runs: this.#runs.length,
      facts: [...this.#facts.values()].reduce((sum, facts) => sum + facts.length, 0),
      calls: this.#effects.length,
      repeats: this.#effects.length - keys.size,
    };
  }

  #find(rule: string, message: string): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count <= findingsPerRuleMax) this.findings.push({ rule, message });
  }

  run(): readonly Found[] {
    this.#promises();
    this.#journals();
    this.#calls();
    this.#ends();
    for (const [table, count] of this.#open)
      if (count > 0) this.#find("nothing is left open", `${count} rows in ${table}`);
    return this.findings;
  }

  /** No run is lost: what was accepted is there, and an end that was told stays the end. */
  #promises(): void {
    const runs = new Map(this.#runs.map((run) => [run.id, run]));
    const ofOrder = new Map<number, Set<string>>();
    for (const { order, said, run: id, outcome } of this.#orders) {
      if (id === undefined) continue;
      ofOrder.set(order, (ofOrder.get(order) ?? new Set()).add(id));
      const run = runs.get(id);
      if (run === undefined) this.#find("no run is lost", `order ${order} was accepted as run ${id}, which is gone`);
      else if (said === "ended" && isOk(outcome) !== (run.status === "completed"))
        this.#find("an end stays the end", `order ${order} was told ${JSON.stringify(outcome)}, and is ${run.status}`);
    }
    for (const order of new Set(this.#orders.map(({ order: number }) => number))) {
      const ids = ofOrder.get(order)?.size ?? 0;
      if (ids === 0) this.#find("no run is lost", `order ${order} was never accepted`);
      if (ids > 1) this.#find("one key is one run", `order ${order} was accepted as ${ids} runs`);
      for (const workflow of ["order", "part", "piece"]) {
        const all = this.#runs.filter((run) => run.workflow === workflow && run.input.order === order);
        const isDeep = workflow !== "order" && fateOf(order) !== "completes";
        if (all.length > 1 || (all.length === 0 && !isDeep))
          this.#find("one key is one run", `order ${order} has ${all.length} runs of ${workflow}`);
      }
    }
  }

  /** Every fact stands once: no gap, and no second end of a task, a child or a timer. */
  #journals(): void {
    for (const [run, facts] of this.#facts) {
      const ends = new Set<string>();
      for (const [index, { seq, type, body }] of facts.entries()) {
        if (seq !== index + 1) this.#find("journals have no gaps", `run ${run}: fact ${index + 1} is ${seq}`);
        if ((type === "start") !== (index === 0)) this.#find("journals begin once", `run ${run}: fact ${seq}`);
        const id = body.taskId ?? body.childId ?? body.timerId;
        if (id === undefined) continue;
        if (ends.has(id)) this.#find("each step is visible once", `run ${run}: ${id} ended twice`);
        ends.add(id);
      }
    }
  }

  /** The log of effects against the journals: one key per attempt of an operation, and none after its end. */
  #calls(): void {
    const keysOf = new Map<string, Set<string>>();
    const opOf = new Map<string, string>();
    const endedAt = new Map<string, number>();
    for (const facts of this.#facts.values())
      for (const { at, body } of facts) if (body.taskId !== undefined) endedAt.set(body.taskId, at);
    for (const { at, life, key, order, op } of this.#effects) {
      const name = `${op} of order ${order}`;
      const attempt = key.split("/").at(-1) ?? "";
      const keys = keysOf.get(`${name}, attempt ${attempt}`) ?? new Set();
      keysOf.set(`${name}, attempt ${attempt}`, keys.add(key));
      const known = opOf.get(key);
      if (known !== undefined && known !== name) this.#find("a key means one thing", `${key} is ${known} and ${name}`);
      opOf.set(key, name);
      if (at > (endedAt.get(key) ?? Number.POSITIVE_INFINITY) + clockSlackMs)
        this.#find("what is done is not done again", `life ${life} did ${key} after its end was journaled`);
    }
    for (const [name, keys] of keysOf)
      if (keys.size > 1) this.#find("repeats have the same key", `${name}: ${[...keys].join(", ")}`);
    for (const key of endedAt.keys())
      if (!opOf.has(key)) this.#find("what is journaled was done", `${key} ended, and no agent was called`);
  }

  /** Each order ended as it was meant to, with the result that it must have, and undone where it failed. */
  #ends(): void {
    const opsOf = this.#completedOps();
    for (const run of this.#runs.filter(({ workflow }) => workflow === "order")) {
      const { order } = run.input;
      const input = inputOf(order);
      const fate = fateOf(order);
      const ops = opsOf.get(order) ?? [];
      const wanted = fate === "completes" ? "completed" : "failed";
      if (run.status !== wanted)
        this.#find(
          "orders end as they must",
          `order ${order} is ${run.status}, not ${wanted}: ${run.result ?? "no result"}`,
        );
      if (fate === "completes") {
        const { output } = JSON.parse(run.result ?? "{}") as { readonly output?: unknown };
        if (!isDeepStrictEqual(output, outputOf(input)))
          this.#find("results are right", `order ${order} gave ${JSON.stringify(output)}`);
        if (!isDeepStrictEqual(ops.toSorted(), [...completeOps(input)].toSorted()))
          this.#find("each step is visible once", `order ${order} did ${ops.join(", ")}`);
      } else this.#undone(order, ops);
    }
  }

  /** What a failed run of an order had done was undone, each operation once; what completed inside stays. */
  #undone(order: number, ops: readonly string[]): void {
    const undone = ops.filter((op) => op.startsWith("undo-"));
    const done = ops.filter((op) => undoneOps.has(op));
    const inside = new Set(fateOf(order) === "fails at the end" ? ["open", "cut"] : []);
    const wanted = done.filter((op) => !inside.has(op)).map((op) => `undo-${op}`);
    if (!isDeepStrictEqual(undone.toSorted(), wanted.toSorted()))
      this.#find("failed orders are undone", `order ${order} did ${done.join(", ")} and undid ${undone.join(", ")}`);
  }

  /** Operations that journals say are completed, by order. */
  #completedOps(): Map<number, string[]> {
    const opOf = new Map(this.#effects.map(({ key, op }) => [key, op]));
    const orderOf = new Map(this.#runs.map(({ id, input }) => [id, input.order]));
    const done = new Map<number, string[]>();
    for (const [run, facts] of this.#facts)
      for (const { type, body } of facts) {
        const op = type === "task.completed" ? opOf.get(body.taskId ?? "") : undefined;
        const order = orderOf.get(run);
        if (op !== undefined && order !== undefined) done.set(order, [...(done.get(order) ?? []), op]);
      }
    return done;
  }
}

function isOk(outcome: unknown): boolean {
  return typeof outcome === "object" && outcome !== null && "ok" in outcome && outcome.ok === true;
}
