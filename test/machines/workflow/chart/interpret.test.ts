import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assign, createActor, createMachine, enqueueActions } from "xstate";
import { buildChart, ChartProblem } from "../../../../machines/workflow/chart/chart.ts";
import type {
  Arrow,
  MachineConfig,
  NamedAction,
  StateNode,
  StateValue,
} from "../../../../machines/workflow/chart/config.ts";
import {
  advanceChart,
  type ChartEvent,
  EndlessChart,
  type ChartHost,
  startChart,
} from "../../../../machines/workflow/chart/interpret.ts";

/** One trace: what was done and which states are active, after the start and after each event. */
interface Trace {
  readonly value: StateValue;
  readonly done: boolean;
  readonly log: readonly string[];
}

/** `note` writes to the log, `count` changes the context that the guard `even` reads, `raise` raises. */
function ownTrace(config: MachineConfig, events: readonly string[]): Trace[] {
  const chart = buildChart(config);
  let log: string[] = [];
  let count = 0;
  let queue: ChartEvent[] = [];
  const host: ChartHost = {
    act(action) {
      if (action.type === "note") log.push(String(action.params?.["of"]));
      if (action.type === "count") count += 1;
      if (action.type === "raise") queue.push({ type: String(action.params?.["event"]) });
    },
    allows: (guard) => (count % 2 === 0) === (guard.params?.["even"] === true),
    raise: (event) => void queue.push(event),
    take: () => queue.shift(),
  };
  const traces: Trace[] = [];
  let rest = startChart(chart, { type: "xstate.init" }, host);
  traces.push({ ...rest, log });
  for (const type of events) {
    log = [];
    queue = [];
    rest = advanceChart(chart, { value: rest.value, event: { type } }, host);
    traces.push({ ...rest, log });
  }
  return traces;
}

function xstateTrace(config: MachineConfig, events: readonly string[]): Trace[] {
  let log: string[] = [];
  const machine = createMachine({ ...config, context: { count: 0 }, options: { maxIterations: 1_000 } } as never, {
    actions: {
      note: (_: unknown, params: { of: string }) => void log.push(params.of),
      count: assign(({ context }: { context: { count: number } }) => ({ count: context.count + 1 })),
      raise: enqueueActions(({ enqueue }, params: { event: string }) => enqueue.raise({ type: params.event })),
    } as never,
    guards: {
      parity: ({ context }: { context: { count: number } }, params: { even: boolean }) =>
        (context.count % 2 === 0) === params.even,
    } as never,
  });
  const actor = createActor(machine);
  const traces: Trace[] = [];
  const record = (): void => {
    const snapshot = actor.getSnapshot();
    traces.push({ value: snapshot.value as StateValue, done: snapshot.status === "done", log });
  };
  actor.start();
  record();
  for (const type of events) {
    log = [];
    actor.send({ type });
    record();
  }
  return traces;
}

const names = ["a", "b", "c"];
const alphabet = ["x", "y", "z"];

function noted(of: string): NamedAction {
  return { type: "note", params: { of } };
}

/** Random charts of the subset: nested compound and parallel states, guards, raised events, targets near and far. */
function stateArbitrary(depth: number, path: string): fc.Arbitrary<StateNode> {
  const inner = names.map((name) => `${path}.${name}`);
  const targets = [...names, ".a", ".b", "#m.a", "#m.b", "#m.a.b", "#m.c.a"];
  const arrow = fc.record<Arrow>(
    {
      target: fc.constantFrom(...targets),
      guard: fc.boolean().map((even) => ({ type: "parity", params: { even } })),
      actions: fc.array(
        fc.oneof(
          fc.constant<NamedAction>(noted(`${path}!`)),
          fc.constant<NamedAction>({ type: "count" }),
          fc.constantFrom(...alphabet).map((event): NamedAction => ({ type: "raise", params: { event } })),
        ),
        { maxLength: 2 },
      ),
      reenter: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const common = fc.record({
    entry: fc.constant([noted(`${path}+`)]),
    exit: fc.constant([noted(`${path}-`)]),
    on: fc.dictionary(fc.constantFrom(...alphabet), fc.array(arrow, { maxLength: 2 }), { maxKeys: 3 }),
  });
  if (depth === 0) return common;
  const children = fc.tuple(...inner.map((child) => stateArbitrary(depth - 1, child)));
  return fc
    .record({
      common,
      children,
      kind: fc.constantFrom("atomic", "compound", "compound", "parallel", "final"),
      onDone: arrow,
    })
    .map(({ common: own, children: states, kind, onDone }): StateNode => {
      if (kind === "atomic") return own;
      const all = Object.fromEntries(names.map((name, at) => [name, states[at] as StateNode]));
      if (kind === "parallel") return { ...own, type: "parallel", states: all, onDone: [onDone] };
      const last: StateNode =
        kind === "final" ? { type: "final", entry: [noted(`${path}.c+`)] } : (all["c"] as StateNode);
      return { ...own, initial: "a", states: { ...all, c: last }, onDone: [onDone] };
    });
}

/** Whether every target can be resolved; the others are tried by neither. */
function isSound(config: MachineConfig): boolean {
  try {
    buildChart(config);
    return true;
  } catch (error) {
    if (error instanceof ChartProblem) return false;
    throw error;
  }
}

/** Drops arrows whose target is not there, so that most random charts are sound. */
function mend(node: StateNode, path: string, root: StateNode): StateNode {
  const exists = (target: string | undefined): boolean => {
    if (target === undefined) return true;
    const full = target.startsWith("#")
      ? target.slice(1)
      : target.startsWith(".")
        ? path + target
        : `${path.split(".").slice(0, -1).join(".")}.${target}`;
    let at: StateNode | undefined = root;
    for (const key of full.split(".").slice(1)) at = at?.states?.[key];
    return at !== undefined && (path !== "m" || target.startsWith("#") || target.startsWith("."));
  };
  const sound = (arrows: readonly Arrow[] | undefined): Arrow[] =>
    (arrows ?? []).filter((arrow) => exists(arrow.target));
  return {
    ...node,
    ...(node.on === undefined
      ? {}
      : { on: Object.fromEntries(Object.entries(node.on).map(([event, arrows]) => [event, sound(arrows)])) }),
    ...(node.onDone === undefined ? {} : { onDone: sound(node.onDone) }),
    ...(node.states === undefined
      ? {}
      : {
          states: Object.fromEntries(
            Object.entries(node.states).map(([name, child]) => [name, mend(child, `${path}.${name}`, root)]),
          ),
        }),
  };
}

const machineArbitrary = fc
  .tuple(...names.map((name) => stateArbitrary(2, `m.${name}`)))
  .map((states): MachineConfig => {
    const root: MachineConfig = {
      id: "m",
      initial: "a",
      states: Object.fromEntries(names.map((name, at) => [name, states[at] as StateNode])),
    };
    return { ...mend(root, "m", root), id: "m" };
  });

function attempt(trace: () => Trace[]): Trace[] | "endless" {
  try {
    return trace();
  } catch (error) {
    if (error instanceof EndlessChart || (error instanceof Error && error.message.startsWith("Infinite loop")))
      return "endless";
    throw error;
  }
}

describe("a chart of the subset", () => {
  test("does what XState does with the same config and the same events", () => {
    let seen = 0;
    fc.assert(
      fc.property(machineArbitrary, fc.array(fc.constantFrom(...alphabet), { maxLength: 8 }), (config, events) => {
        fc.pre(isSound(config));
        const own = attempt(() => ownTrace(config, events));
        if (own === "endless") return;
        expect(own).toEqual(xstateTrace(config, events));
        seen += 1;
      }),
      { numRuns: 400 },
    );
    expect(seen).toBeGreaterThan(150);
  });

  test("an arrow cycle that waits for nothing is an error, not a hang", () => {
    const config: MachineConfig = {
      id: "m",
      initial: "a",
      states: { a: { always: [{ target: "b" }] }, b: { always: [{ target: "a" }] } },
    };
    expect(() => ownTrace(config, [])).toThrow(EndlessChart);
  });

  test.each([
    [{ id: "m", initial: "b", states: { a: {} } }, "there is no state `b`"],
    [{ id: "m", initial: "a", states: { a: { on: { x: [{ target: "c" }] } } } }, "there is no state `c`"],
    [{ id: "m", initial: "a", states: { a: { on: { x: [{ target: "#m.z" }] } } } }, "there is no state `#m.z`"],
  ] as const)("a target that is not there is named", (config, message) => {
    expect(() => buildChart(config as MachineConfig)).toThrow(message);
  });
});
