import { assign, createActor, createMachine, fromPromise, setup } from "xstate";
import { describe, expect, test } from "vitest";
import { agentChart } from "../../machines/agent/machine.ts";
import { supervisorChart } from "../../machines/supervision/machine.ts";
import { drawChart, drawnBytesMax, drawnDepthMax, showEvent, showSnapshot } from "../../src/inspect/projection.ts";

describe("charts", () => {
  test.each([agentChart, supervisorChart])("Troupe's own chart $config.id is drawn as it is declared", (chart) => {
    expect(drawChart(chart.config)).toEqual(chart.config);
  });

  test("names that sound like secrets are states and events, and draw the chart", () => {
    const login = { initial: "password", states: { password: { on: { token: "secret" } }, secret: { type: "final" } } };
    expect(drawChart(login)).toEqual(login);
  });

  test("data in a chart loses its secrets, and code becomes its name", () => {
    const machine = setup({
      guards: { isOpen: () => true },
      actions: { greet: () => undefined },
      actors: { load: fromPromise(async () => 1) },
    }).createMachine({
      id: "door",
      context: { apiKey: "opaque", visits: 1 },
      initial: "shut",
      entry: [assign({ visits: 2 }), { type: "greet" }, function knock() {}],
      states: {
        shut: {
          meta: { password: "opaque", colour: "red" },
          invoke: { src: "load", input: { token: "opaque" }, onDone: { target: "open" } },
          on: { open: [{ guard: "isOpen", target: "open", actions: ["greet"] }, { actions: () => undefined }] },
          after: { 1000: "open" },
        },
        open: { always: { guard: () => false, target: "shut" }, type: "final" },
      },
    });
    expect(drawChart(machine.config)).toEqual({
      id: "door",
      context: { apiKey: "[redacted]", visits: 1 },
      initial: "shut",
      entry: [{ type: "xstate.assign" }, { type: "greet" }, { type: "knock" }],
      states: {
        shut: {
          meta: { password: "[redacted]", colour: "red" },
          invoke: [{ src: "load", input: { token: "[redacted]" }, onDone: { target: "open" } }],
          on: {
            open: [
              { guard: { type: "isOpen" }, target: "open", actions: [{ type: "greet" }] },
              { actions: [{ type: "actions" }] },
            ],
          },
          after: { 1000: "open" },
        },
        open: { always: { guard: { type: "guard" }, target: "shut" }, type: "final" },
      },
    });
  });

  test("a chart that is too deep is cut, and one that is too large is only named", () => {
    let deep: object = {};
    for (let depth = 0; depth <= drawnDepthMax + 3; depth += 1) deep = { states: { down: deep } };
    const levels = JSON.stringify(drawChart(deep)).split("down").length - 1;
    expect(levels).toBe(drawnDepthMax);
    const names = Array.from({ length: 2_000 }, (_, index) => [`state${index}`, { description: "long ".repeat(60) }]);
    const large = drawChart({ id: "large", states: Object.fromEntries(names) });
    expect(large).toEqual({ id: "large", description: expect.stringContaining(`more than ${drawnBytesMax} bytes`) });
  });

  test("logic that carries no chart draws none", () => {
    expect(drawChart(undefined)).toBeUndefined();
    expect(drawChart(() => 1)).toBeUndefined();
  });
});

describe("snapshots and events", () => {
  test("a machine's snapshot shows status, active states and data, and no reference to other actors", () => {
    const machine = createMachine({
      context: ({ spawn }) => ({
        password: "opaque",
        child: spawn(
          fromPromise(async () => 1),
          { id: "child" },
        ),
      }),
      type: "parallel",
      states: { left: { initial: "token", states: { token: { tags: "busy" } } }, right: {} },
    });
    const actor = createActor(machine).start();
    expect(showSnapshot(actor.getSnapshot())).toEqual({
      status: "active",
      value: { left: "token", right: {} },
      context: { password: "[redacted]", child: expect.stringMatching(/^\[actor x:\d+\]$/) },
      tags: ["busy"],
    });
    actor.stop();
  });

  test("what an actor was given, returned or broke with is data as well", () => {
    expect(
      showSnapshot({
        status: "error",
        input: { token: "opaque" },
        output: { secret: "opaque" },
        error: new Error("password=opaque"),
        value: { not: 1, a: "state", password: "opaque" },
      }),
    ).toEqual({
      status: "error",
      input: { token: "[redacted]" },
      output: { secret: "[redacted]" },
      error: { "(class)": "Error", message: "password=[redacted]" },
      value: { not: 1, a: "state", password: "[redacted]" },
    });
    expect(showSnapshot(undefined)).toEqual({ status: "active" });
  });

  test("an event keeps its type and loses its secrets", () => {
    expect(showEvent({ type: "login", password: "opaque", user: "ada" })).toEqual({
      type: "login",
      password: "[redacted]",
      user: "ada",
    });
    expect(showEvent(null)).toEqual({ type: "[unknown]" });
  });
});
