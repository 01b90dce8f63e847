import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createActor } from "xstate";
import { runStates } from "../../../machines/workflow/compile/write-chart.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import type { RunEffect } from "../../../machines/workflow/effects.ts";
import type { RunEvent } from "../../../machines/workflow/events.ts";
import type { Json } from "../../../machines/failure.ts";
import { ledgerEntries } from "../../../machines/workflow/run/ledger.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import { define } from "./bench.ts";
import { choicesArbitrary, definitionArbitrary } from "./definitions.ts";

const input = { on: true, n: 3, items: [1, 2, 3] };
const start = { type: "start", at: 0, executionId: "r", input } as const;
const over = new Set(["completed", "failed", "cancelled"]);

/** What a run has open in the world, kept from its effects alone. */
class World {
  readonly tasks = new Set<string>();
  readonly everyTask = new Set<string>();
  readonly timers = new Map<string, number>();
  readonly children = new Set<string>();
  readonly listening = new Set<string>();
  readonly ends: string[] = [];
  /** Tasks and timers that answered while the run was paused: it may still take them back. */
  readonly held = new Set<string>();
  now = 0;

  take(all: readonly RunEffect[]): void {
    const effects = withoutUnasked(all);
    for (const effect of effects) {
      if (effect.type === "scheduleTask") {
        expect(this.everyTask.has(effect.taskId), `${effect.taskId} is asked once`).toBe(false);
        this.everyTask.add(effect.taskId);
        this.tasks.add(effect.taskId);
      } else if (effect.type === "cancelTask")
        expect(this.tasks.delete(effect.taskId) || this.held.has(effect.taskId), `${effect.taskId} was open`).toBe(
          true,
        );
      else if (effect.type === "startTimer") {
        expect(this.timers.has(effect.timerId), `${effect.timerId} is set once`).toBe(false);
        this.timers.set(effect.timerId, effect.dueAt);
      } else if (effect.type === "cancelTimer")
        expect(this.timers.delete(effect.timerId) || this.held.has(effect.timerId), `${effect.timerId} was set`).toBe(
          true,
        );
      else if (effect.type === "startChild") this.children.add(effect.childId);
      else if (effect.type === "cancelChild") this.children.delete(effect.childId);
      else if (effect.type === "listen") this.listening.add(effect.listenId);
      else if (effect.type === "unlisten") expect(this.listening.delete(effect.listenId)).toBe(true);
      else if (effect.type === "complete" || effect.type === "fail" || effect.type === "cancelled")
        this.ends.push(effect.type);
    }
  }

  /** The next thing to happen, by a number. */
  choose(given: number): RunEvent {
    // Small numbers are as likely to mean anything as large ones are.
    const number = Math.imul(given + 1, 0x9e3779b1) >>> 4;
    const at = (this.now += 1);
    const tasks = [...this.tasks];
    const timers = [...this.timers];
    const kinds = [
      ...tasks.map((id) => ["task", id] as const),
      ...timers.map(([id]) => ["timer", id] as const),
      ...[...this.children].map((id) => ["child", id] as const),
      ["other", ""] as const,
    ];
    const [kind, id] = kinds[number % kinds.length] ?? ["other", ""];
    const failure = {
      code: number % 2 === 0 ? "call/rejected" : "agent/crashed",
      message: "no",
      retry: "later",
      data: {},
    } as const;
    if (kind === "task") {
      this.tasks.delete(id);
      return number % 11 === 0
        ? { type: "task.failed", at, taskId: id, failure }
        : { type: "task.completed", at, taskId: id, output: number };
    }
    if (kind === "timer") {
      this.now = Math.max(this.now, this.timers.get(id) ?? 0);
      this.timers.delete(id);
      return { type: "timer.fired", at: this.now, timerId: id };
    }
    if (kind === "child") {
      this.children.delete(id);
      return number % 2 === 0
        ? { type: "child.completed", at, childId: id, output: null }
        : { type: "child.failed", at, childId: id, failure };
    }
    const others: RunEvent[] = [
      { type: "pause", at },
      { type: "resume", at },
      { type: "signal", at, name: "go", payload: number },
      { type: "task.completed", at, taskId: "r/nowhere/1/1", output: 0 },
      { type: "timer.fired", at, timerId: "r/s1/9/9#timeout" },
      { type: "retry", at },
      { type: "patch", at, patches: [{ op: "add", path: ["p"], value: number }] },
    ];
    if (number % 97 === 0) return { type: "cancel", at, compensate: number % 2 === 0 };
    return others[number % others.length] ?? { type: "resume", at };
  }
}

/** What is opened and taken back within one turn was never asked of anybody. */
function withoutUnasked(effects: readonly RunEffect[]): readonly RunEffect[] {
  const opened = new Set(effects.flatMap((effect) => (effect.type === "scheduleTask" ? effect.taskId : [])));
  const unasked = new Set(
    effects.flatMap((effect) => (effect.type === "cancelTask" && opened.has(effect.taskId) ? effect.taskId : [])),
  );
  return effects.filter((effect) => !("taskId" in effect && unasked.has(effect.taskId)));
}

function tidy(state: RunState, world: World): void {
  if (!over.has(state.context.phase)) return;
  expect(world.ends.length).toBeGreaterThan(0);
  expect(
    [world.tasks.size, world.timers.size, world.children.size, world.listening.size],
    "nothing is left open",
  ).toEqual([0, 0, 0, 0]);
  const { active, fans, lanes, scopes } = state.context;
  expect([active.size, fans.size, lanes.size, scopes.size]).toEqual([0, 0, 0, 1]);
}

const phaseOf: { readonly [value: string]: string } = {
  [runStates.completed]: "completed",
  [runStates.failed]: "failed",
  [runStates.cancelled]: "cancelled",
  [runStates.compensating]: "compensating",
  [runStates.parked]: "compensation-failed",
};

function agree({ value, context }: RunState): void {
  const phase = context.phase === "paused" ? "running" : context.phase;
  expect(phase, `the phase in ${JSON.stringify(value)}`).toBe(
    (typeof value === "string" ? phaseOf[value] : undefined) ?? "running",
  );
}

function play(
  compiled: CompiledWorkflow,
  choices: readonly number[],
  visit: (state: RunState, event: RunEvent, next: RunState, effects: readonly RunEffect[]) => void,
): { state: RunState; world: World } {
  const world = new World();
  let [state, effects] = compiled.initial(start);
  world.take(effects);
  tidy(state, world);
  agree(state);
  for (const number of choices) {
    const event = world.choose(number);
    const before = state;
    const id = "taskId" in event ? event.taskId : "timerId" in event ? event.timerId : undefined;
    if (before.context.phase === "paused" && id !== undefined) world.held.add(id);
    [state, effects] = compiled.step(before, event);
    visit(before, event, state, effects);
    world.take(effects);
    tidy(state, world);
    agree(state);
  }
  return { state, world };
}

/** Tests what holds of every definition and every course of events, so many times as often as `npm test` does. */
export function testModel(factor: number): void {
  describe("a run of any definition, whatever happens", () => {
    test("names each task once, takes back what it leaves, and leaves nothing when it is over", () => {
      let ended = 0;
      fc.assert(
        fc.property(definitionArbitrary, choicesArbitrary, (value, choices) => {
          const { state } = play(define(value), choices, () => undefined);
          if (over.has(state.context.phase)) ended += 1;
        }),
        { numRuns: 300 * factor },
      );
      expect(ended).toBeGreaterThan(50);
    });

    test("folds the same events to the same state and effects, also through JSON, and leaves the state before as it was", () => {
      fc.assert(
        fc.property(definitionArbitrary, choicesArbitrary, (value, choices) => {
          const compiled = define(value);
          const again = define(JSON.parse(JSON.stringify(compiled.definition)) as Json);
          play(compiled, choices, (before, event, next, effects) => {
            const text = JSON.stringify(before);
            const [state, named] = again.step(JSON.parse(text) as RunState, event);
            expect(JSON.stringify([state, named])).toBe(JSON.stringify([next, effects]));
            expect(JSON.stringify(before)).toBe(text);
          });
        }),
        { numRuns: 60 * factor },
      );
    });

    test("an event that nothing waits for gives the same state object", () => {
      fc.assert(
        fc.property(definitionArbitrary, choicesArbitrary, (value, choices) => {
          const compiled = define(value);
          const { state } = play(compiled, choices, () => undefined);
          for (const event of [
            { type: "task.completed", at: 1, taskId: "r/s1/99/1", output: 0 },
            { type: "timer.fired", at: 1, timerId: "r/s1/99/1#wait" },
            {
              type: "child.failed",
              at: 1,
              childId: "other",
              failure: { code: "x/y", message: "", retry: "never", data: {} },
            },
          ] as const) {
            const paused = state.context.phase === "paused";
            const [next, effects] = compiled.step(state, event);
            if (!paused) expect(next).toBe(state);
            expect(effects).toEqual([]);
          }
        }),
        { numRuns: 60 * factor },
      );
    });

    test("does what the compiled machine does when XState itself runs it", () => {
      let events = 0;
      fc.assert(
        fc.property(definitionArbitrary, choicesArbitrary, (value, choices) => {
          const compiled = define(value);
          let effects: RunEffect[] = [];
          const types = [
            "scheduleTask",
            "cancelTask",
            "startTimer",
            "cancelTimer",
            "startChild",
            "cancelChild",
            "listen",
            "unlisten",
            "refuseSignal",
            "emitEvent",
            "emit",
            "complete",
            "fail",
            "cancelled",
            "parkCompensation",
          ];
          const collect = (_: unknown, params: RunEffect): void => void effects.push(params);
          const machine = compiled
            .machine()
            .provide({ actions: Object.fromEntries(types.map((type) => [type, collect])) as never });
          const actor = createActor(machine, { input: start });
          actor.subscribe({
            error: (error) => {
              throw error;
            },
          });
          actor.start();
          const [first, named] = compiled.initial(start);
          expect(effects).toEqual(named);
          expect(actor.getSnapshot().value).toEqual(first.value);
          play(compiled, choices, (_before, event, next, own) => {
            // A retry of a run that is over is no arrow of its machine: the machine has ended.
            if (actor.getSnapshot().status !== "active") return;
            effects = [];
            actor.send(event);
            events += 1;
            expect(effects).toEqual(own);
            expect(actor.getSnapshot().value).toEqual(next.value);
            const { at: _at, before: _before2, ...context } = next.context;
            expect(actor.getSnapshot().context).toMatchObject(context);
          });
        }),
        { numRuns: 100 * factor },
      );
      expect(events).toBeGreaterThan(150);
    });

    test("every open visit has what it waits for in the world, and the other way round", () => {
      fc.assert(
        fc.property(definitionArbitrary, choicesArbitrary, (value, choices) => {
          const { state, world } = play(define(value), choices, () => undefined);
          const held = new Set(state.context.held.flatMap((event) => ("taskId" in event ? [event.taskId] : [])));
          const waiting = [...ledgerEntries(state.context.active)].flatMap(([path, { waits, visit, attempt }]) =>
            waits === "task" ? [`r/${path}/${visit}/${attempt}`] : [],
          );
          expect(waiting.filter((id) => !held.has(id)).toSorted()).toEqual([...world.tasks].toSorted());
        }),
        { numRuns: 150 * factor },
      );
    });
  });
}
