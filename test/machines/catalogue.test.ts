import { catalogue } from "troupe/machines";
import { createActor } from "xstate";
import { getSimplePaths } from "xstate/graph";
import { describe, expect, test } from "vitest";
import { agentChart } from "../../machines/agent/machine.ts";
import { breakerChart } from "../../machines/breaker/machine.ts";
import { callChart } from "../../machines/call/machine.ts";
import { flatChart, type Chart } from "../../machines/chart.ts";
import { supervisorChart } from "../../machines/supervision/machine.ts";
import { chartLogic } from "../../src/system/interpret.ts";

interface Node {
  readonly description?: string;
  readonly initial?: string;
  readonly type?: string;
  readonly on?: { readonly [event: string]: unknown };
  readonly always?: unknown;
  readonly states?: { readonly [name: string]: Node };
}

interface Arrow {
  readonly target?: string;
  readonly description?: string;
}

function arrowsOf(node: Node): [event: string, arrow: Arrow][] {
  const atOnce = node.always === undefined ? {} : { always: node.always };
  return Object.entries({ ...node.on, ...atOnce }).flatMap(([event, arrows]) =>
    [arrows].flat().map((arrow): [string, Arrow] => [event, arrow as Arrow]),
  );
}

/** Every node below `node`, by its path of names. */
function* nodesOf(node: Node, path: readonly string[] = []): Iterable<{ path: readonly string[]; node: Node }> {
  yield { path, node };
  for (const [name, child] of Object.entries(node.states ?? {})) yield* nodesOf(child, [...path, name]);
}

describe("the catalogue of charts", () => {
  test("has the charts of agents, supervisors, calls, breakers and ballots, each name once", () => {
    const names = catalogue.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["agent", "supervisor", "call", "breaker", "ballot"]));
    expect(new Set(names).size).toBe(names.length);
  });

  describe.each(catalogue.map((entry) => [entry.name, entry] as const))("%s", (_name, { machine, summary }) => {
    const config = machine.config as Node & { id?: string };
    const nodes = [...nodesOf(config)];

    test("is plain JSON, so that it can be sent and stored", () => {
      expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    });

    test("is described in words: itself, every state and every event", () => {
      expect(summary).toMatch(/^[A-Z].{10,}\.$/s);
      for (const { path, node } of nodes) {
        expect(node.description, path.join(".")).toMatch(/^\S.{5,}\.$/s);
        for (const [event, arrow] of arrowsOf(node))
          expect(arrow.description, `${path.join(".")} on ${event}`).toMatch(/^\S.{5,}\.$/s);
      }
    });

    test("has no state that cannot be reached, and no way out of a final one", () => {
      const reached = new Set<string>();
      const visit = (state: Node["states"], name: string | undefined): void => {
        if (name === undefined || state?.[name] === undefined || reached.has(name)) return;
        reached.add(name);
        for (const [, { target }] of arrowsOf(state[name])) visit(state, target);
      };
      for (const [, { target }] of arrowsOf(config)) visit(config.states, target);
      visit(config.states, config.initial);
      expect([...reached].sort()).toEqual(Object.keys(config.states ?? {}).sort());
      for (const { node } of nodes) if (node.type === "final") expect(arrowsOf(node)).toEqual([]);
    });
  });

  test("a state that cannot be reached would be seen", () => {
    const lost = flatChart({
      id: "lost",
      description: "A chart with an island.",
      initial: "here",
      states: {
        here: { description: "Where it begins." },
        island: { description: "Where nothing leads." },
      },
    });
    const paths = getSimplePaths(lost.machine());
    expect(paths.map(({ state }) => state.value)).toEqual(["here"]);
  });
});

const charts = {
  agent: agentChart,
  supervisor: supervisorChart,
  call: callChart,
  breaker: breakerChart,
} as unknown as {
  readonly [name: string]: Chart<string>;
};

describe.each(Object.entries(charts))("the fast table of the %s chart", (_name, chart) => {
  const machine = chart.machine();
  const paths = getSimplePaths(machine, { events: chart.events.map((type) => ({ type })) });
  const states = Object.keys(chart.config.states);

  test("gives the same states as the real machine, on every path through the chart", () => {
    expect(new Set(paths.map(({ state }) => state.value))).toEqual(new Set(states));
    for (const { steps } of paths) {
      const actor = createActor(machine).start();
      const fast = createActor(chartLogic(chart)).start();
      let state = chart.initial;
      // The first step is XState's own, into the initial state.
      for (const { event } of steps.slice(1)) {
        actor.send(event);
        fast.send(event);
        state = chart.next(state, event.type) ?? state;
        const real = actor.getSnapshot();
        expect(state).toBe(real.value);
        expect(fast.getSnapshot()).toMatchObject({ value: real.value, status: real.status });
        expect(chart.isFinal(state)).toBe(real.status === "done");
      }
    }
  });

  test("has an arrow where the machine moves, and none where it does not", () => {
    let arrows = 0;
    for (const state of states)
      for (const event of [...chart.events, "unheard-of"]) {
        const real = machine.resolveState({ value: state, context: {} });
        const moved = machine.config.states?.[state]?.on?.[event] !== undefined;
        const next = chart.next(state, event);
        expect(next !== undefined, `${state} on ${event}`).toBe(moved);
        expect(chart.arrows(event)[state]).toBe(next);
        if (next === undefined) continue;
        arrows += 1;
        const actor = createActor(machine, { snapshot: machine.getPersistedSnapshot(real) }).start();
        actor.send({ type: event });
        expect(actor.getSnapshot().value).toBe(next);
      }
    expect(arrows).toBeGreaterThan(3);
  });

  test("carries the chart with it, so that an inspector can draw what runs", () => {
    const logic = chartLogic(chart);
    expect(logic.config).toBe(chart.config);
    const initial = createActor(logic).start().getSnapshot();
    expect(initial).toMatchObject({ status: "active", value: chart.initial, context: {} });
    expect(Object.isFrozen(initial)).toBe(true);
    const persisted = logic.getPersistedSnapshot(initial);
    expect(createActor(logic, { snapshot: persisted }).start().getSnapshot().value).toBe(chart.initial);
  });
});
