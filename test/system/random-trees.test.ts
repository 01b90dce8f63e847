import fc from "fast-check";
import { defineAgent, type Down, type Outcome, type SupervisionTree } from "troupe";
import type { FakeClock } from "troupe/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { agentChart } from "../../machines/agent/machine.ts";
import { breakerChart } from "../../machines/breaker/machine.ts";
import { callChart } from "../../machines/call/machine.ts";
import type { Chart } from "../../machines/chart.ts";
import { supervisorChart } from "../../machines/supervision/machine.ts";
import { CallRecord } from "../../src/dispatch/call-record.ts";
import type { CallRequest } from "../../src/dispatch/request.ts";
import { Observe, type Happening } from "../../src/ports/observe.ts";
import type { Cell } from "../../src/system/cell.ts";
import type { ChildDeclaration } from "../../src/troupe/options.ts";
import { walkActors } from "../../src/troupe/tree.ts";
import { openHouse, type House } from "./house.ts";
import { pass } from "./scene.ts";

/** What a handler is told to do, and the number of its call. */
const told = z.object({
  id: z.number(),
  deed: z.enum(["answer", "wait", "ignore", "crash", "doom", "exit"]),
  ms: z.number(),
});
type Told = z.infer<typeof told>;

/** One kind of agent: capabilities that may run once, that are idempotent, and that recover. */
function worker(clock: FakeClock, name: string, shape: Shape, runs: Map<number, number>) {
  const run = async (
    { id, deed, ms }: Told,
    { signal, exit }: { readonly signal: AbortSignal; readonly exit: () => void },
  ): Promise<number> => {
    runs.set(id, (runs.get(id) ?? 0) + 1);
    if (deed === "exit") exit();
    if (deed === "crash") throw new Error("crash");
    if (deed === "wait") await pass(clock, ms, signal);
    if (deed === "ignore" || deed === "doom") await pass(clock, ms);
    if (deed === "doom") throw new Error("doom");
    return id;
  };
  const skill = { input: told, output: z.number(), breaker: { failures: 3, openMs: 40, probes: 1 } };
  return defineAgent({
    name,
    concurrency: shape.concurrency,
    mailbox: { capacity: 6, overflow: shape.overflow },
    ...(shape.startMs > 0 ? { start: ({ signal }) => pass(clock, shape.startMs, signal) } : {}),
    ...(shape.stopMs > 0 ? { stop: () => pass(clock, shape.stopMs) } : {}),
    capabilities: {
      once: { ...skill, run: (context) => run(context.input, context) },
      again: { ...skill, idempotent: true, run: (context) => run(context.input, context) },
      hardy: {
        ...skill,
        recovery: { retry: { attempts: 2, backoff: { firstMs: 10 } }, anotherAgent: 2 },
        run: (context) => run(context.input, context),
      },
    },
  });
}

const shapeArbitrary = fc.record({
  concurrency: fc.integer({ min: 1, max: 3 }),
  overflow: fc.constantFrom("busy" as const, "drop-oldest" as const, "drop-newest" as const),
  startMs: fc.constantFrom(0, 0, 0, 15),
  stopMs: fc.constantFrom(0, 0, 0, 15),
});
type Shape = typeof shapeArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

const childArbitrary = fc.record({
  restart: fc.constantFrom("permanent" as const, "permanent" as const, "transient" as const, "temporary" as const),
  shutdownMs: fc.constantFrom(0, 10, 50),
  significant: fc.boolean(),
});

const settingsArbitrary = fc.record({
  strategy: fc.constantFrom("one-for-one" as const, "one-for-all" as const, "rest-for-one" as const),
  intensity: fc.record({
    restarts: fc.constantFrom(0, 1, 3, 50),
    withinMs: fc.constantFrom(50, 5_000),
    per: fc.constantFrom("supervisor" as const, "child" as const),
  }),
  backoff: fc.constantFrom(undefined, { firstMs: 10, jitter: 0.5 }),
  autoShutdown: fc.constantFrom(
    "never" as const,
    "never" as const,
    "any-significant" as const,
    "all-significant" as const,
  ),
});

/** A node of a random tree: a leaf is an agent, anything else a supervisor. */
interface Plan {
  readonly child: { restart: "permanent" | "transient" | "temporary"; shutdownMs: number; significant: boolean };
  readonly settings: { strategy: "one-for-one" | "one-for-all" | "rest-for-one" } & object;
  readonly shape: Shape;
  readonly below: readonly Plan[];
}

const { tree: planArbitrary } = fc.letrec<{ tree: Plan; leaf: Plan }>((tie) => ({
  leaf: fc.record({
    child: childArbitrary,
    settings: settingsArbitrary,
    shape: shapeArbitrary,
    below: fc.constant([]),
  }),
  tree: fc.record({
    child: childArbitrary,
    settings: settingsArbitrary,
    shape: shapeArbitrary,
    below: fc.array(fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("leaf"), tie("tree")), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
}));

const stepArbitrary = fc.record({
  waitMs: fc.constantFrom(0, 0, 0, 3, 20, 60),
  who: fc.nat(50),
  what: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        call: fc.constantFrom("once" as const, "again" as const, "hardy" as const),
        deed: fc.constantFrom(
          "answer" as const,
          "answer" as const,
          "wait" as const,
          "wait" as const,
          "ignore" as const,
          "crash" as const,
          "doom" as const,
          "exit" as const,
        ),
        ms: fc.constantFrom(5, 30, 80),
        timeoutMs: fc.constantFrom(2, 40, 10_000, 10_000),
        priority: fc.constantFrom("high" as const, "normal" as const, "low" as const),
        isDirect: fc.boolean(),
        abortsAfterMs: fc.constantFrom(undefined, undefined, undefined, 10),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        "monitor" as const,
        "kill" as const,
        "pause" as const,
        "resume" as const,
        "stop" as const,
        "tell" as const,
      ),
    },
  ),
});
type Step = typeof stepArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

function toTree(plan: Plan, name: string, make: (shape: Shape) => ReturnType<typeof worker>): SupervisionTree {
  const { restart, significant } = plan.child;
  return {
    ...plan.settings,
    ...plan.child,
    significant: significant && restart !== "permanent",
    name,
    children: plan.below.map((below, index): ChildDeclaration => {
      if (below.below.length > 0) return toTree(below, `s${index}`, make);
      const isSignificant = below.child.significant && below.child.restart !== "permanent";
      return { ...below.child, significant: isSignificant, agent: make(below.shape), name: `a${index}` };
    }),
  };
}

/** Follows every actor of a house: each move of each chart must be an arrow of it. */
function followCharts(house: House): void {
  const seen = new Set<unknown>();
  const charts = { agent: agentChart, supervisor: supervisorChart } as unknown as { [name: string]: Chart<string> };
  house.onBirth((actor) => {
    if (seen.has(actor)) return;
    seen.add(actor);
    const chart = charts[(actor as unknown as { logic: { config: { id: string } } }).logic.config.id];
    if (chart === undefined) throw new Error("an actor without a chart");
    let before = chart.initial;
    actor.subscribe(({ value }: { readonly value: string }) => {
      if (value === before) return;
      const targets = chart.events.map((event) => chart.next(before, event));
      expect(targets, `${chart.config.id} from ${before}`).toContain(value);
      before = value;
    });
  });
}

/** A call whose every state is written down as it goes. */
class WatchedCall {
  readonly states: string[] = ["routing"];
  readonly outcomes: Outcome<unknown>[] = [];
  readonly request: CallRequest;

  constructor(house: House, request: CallRequest) {
    this.request = request;
    const record = new CallRecord(house.dispatcher, request, (outcome) => this.outcomes.push(outcome));
    const { states } = this;
    Object.defineProperty(record, "state", {
      get: () => states.at(-1),
      set: (state: string) => void (state === states.at(-1) || states.push(state)),
    });
    record.begin();
  }

  check(runs: number): void {
    expect(this.outcomes).toHaveLength(1);
    for (const [index, state] of this.states.entries()) {
      const next = this.states[index + 1];
      if (next === undefined) expect(callChart.isFinal(state as never), state).toBe(true);
      else expect(callChart.events.map((event) => callChart.next(state as never, event))).toContain(next);
    }
    const [outcome] = this.outcomes;
    const { capability, input } = this.request;
    if (outcome?.ok === true) expect(outcome.value).toBe((input as Told).id);
    if (outcome?.ok === true) expect(runs).toBeGreaterThanOrEqual(1);
    // A second run happens only where it was declared that it may.
    expect(runs).toBeLessThanOrEqual(capability === "again" ? 3 : capability === "hardy" ? 4 : 1);
  }
}

/** What the stream must say of starts and ends: they alternate on each path, and no incarnation comes twice. */
function checkLives(events: readonly Happening[]): void {
  const living = new Map<string, unknown>();
  const begun = new Set<unknown>();
  for (const { type, agent = "", data } of events) {
    const { incarnation } = data;
    if (type === "agent.started") {
      expect(living.has(agent), `${agent} starts while it lives`).toBe(false);
      expect(begun.has(incarnation)).toBe(false);
      begun.add(incarnation);
      living.set(agent, incarnation);
    }
    if (type === "agent.stopped" || type === "agent.crashed") {
      // What was stopped or failed while it started was never announced as up.
      if (living.has(agent)) expect(living.get(agent)).toBe(incarnation);
      living.delete(agent);
    }
    if (type === "breaker.changed") {
      const targets = breakerChart.events.map((event) => breakerChart.next(data["from"] as never, event));
      expect(targets).toContain(data["to"]);
    }
  }
  expect([...living.keys()]).toEqual([]);
}

/** What must hold of the tree whenever nothing is on the stack. */
function checkTree({ root, dispatcher }: House): void {
  const records = [...walkActors(root)];
  const byId = new Map(records.map((record) => [record.id, record]));
  expect(byId.size).toBe(records.length);
  const listed = new Set([...dispatcher.registry.groups()].flatMap((group) => group.cells));
  for (const { id, parent, type, state } of records) {
    const above = parent === null ? undefined : byId.get(parent);
    const isUp = type === "agent" ? !["stopped", "failed"].includes(state) : !["stopped", "failed"].includes(state);
    if (above !== undefined && isUp)
      expect(["stopped", "failed"], `${id} under ${above.id}`).not.toContain(above.state);
  }
  for (const cell of listed) {
    expect(cell.ended, `${cell.path} is listed`).toBe(false);
    expect(byId.has(cell.path)).toBe(true);
  }
  for (const group of dispatcher.registry.groups())
    for (const [slot, cell] of group.cells.entries()) expect(cell.slot).toBe(slot);
}

interface Play {
  readonly house: House;
  readonly cells: readonly Cell[];
  readonly calls: WatchedCall[];
  readonly monitors: { notices: Down[] }[];
}

function act({ house, cells, calls, monitors }: Play, { who, what }: Step): void {
  const cell = cells[who % cells.length] as Cell;
  if (typeof what === "object") {
    const { call, deed, ms, isDirect, abortsAfterMs, ...options } = what;
    const abort = new AbortController();
    if (abortsAfterMs !== undefined) house.clock.after(abortsAfterMs, () => abort.abort());
    const input = { id: calls.length, deed, ms };
    const target = isDirect ? { target: cell } : {};
    calls.push(
      new WatchedCall(house, { capability: call, input, options: { ...options, signal: abort.signal }, ...target }),
    );
    return;
  }
  if (what === "monitor") {
    const monitor: { notices: Down[] } = { notices: [] };
    monitors.push(monitor);
    void cell.monitor().then((down) => monitor.notices.push(down));
  } else if (what === "stop") void cell.parent.terminate(cell);
  else if (what === "kill") cell.crash(new Error("killed"));
  else if (what === "tell") house.dispatcher.tellTo(cell, "once", { id: -1, deed: "answer", ms: 0 });
  else if (what === "pause") cell.pause();
  else cell.resume();
}

async function play(plan: Plan, steps: readonly Step[]): Promise<void> {
  const events: Happening[] = [];
  const observe = new Observe();
  observe.listen((happening) => events.push(happening));
  const house = await openHouse(observe);
  followCharts(house);
  const runs = new Map<number, number>();
  let kinds = 0;
  const tree = toTree(plan, "top", (shape) => worker(house.clock, `kind${(kinds += 1)}`, shape, runs));
  const opening = house.nursery.supervise(tree);
  await house.clock.advance(1_000);
  const { cells } = await opening;
  const stage: Play = { house, cells: cells.map(({ cell }) => cell), calls: [], monitors: [] };
  if (stage.cells.length === 0) return;
  for (const step of steps) {
    act(stage, step);
    if (step.waitMs > 0) await house.clock.advance(step.waitMs);
    checkTree(house);
  }
  // Whatever is paused goes on, and all that was asked for has its time.
  for (const cell of stage.cells) cell.resume();
  await house.clock.advance(20_000);
  checkTree(house);
  for (const call of stage.calls) call.check(runs.get((call.request.input as Told).id) ?? 0);
  house.core.close();
  const halted = house.root.halt("end");
  await house.clock.advance(5_000);
  await halted;
  house.root.dispose();
  await house.clock.settle();
  for (const { notices } of stage.monitors) expect(notices).toHaveLength(1);
  checkLives(events);
  expect(house.core.residents).toBe(0);
  expect(house.core.deadlines.close()).toEqual([]);
  expect(house.clock.waiting).toBe(0);
  expect(house.born.every((actor) => actor.getSnapshot().status !== "active")).toBe(true);
}

test("random trees under random crashes, stops and pauses: every call has one outcome, every monitor one notice, every chart is kept", async () => {
  await fc.assert(fc.asyncProperty(planArbitrary, fc.array(stepArbitrary, { minLength: 5, maxLength: 60 }), play), {
    numRuns: Number(process.env["TROUPE_RANDOM_TREES"] ?? 60),
    endOnFailure: false,
  });
}, 120_000);
