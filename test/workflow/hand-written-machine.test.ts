import { createActor, createMachine } from "xstate";
import { expect, test } from "vitest";
import { readDefinition } from "../../machines/workflow/read/definition.ts";
import { writePath } from "../../machines/workflow/read/problem.ts";
import { makeFolder, setScene } from "./scene.ts";

/** Asks, waits a day, asks a person, and delivers; a refusal or a broken agent ends it badly. */
const order = {
  id: "order",
  version: "3",
  initial: "quote",
  context: { tries: 0 },
  states: {
    quote: {
      description: "Ask for a quote",
      entry: [{ type: "task", params: { capability: "quote", input: { item: "$.input.item" } } }],
      on: {
        "task.completed": [
          {
            target: "cool",
            guard: { type: "when", params: { expression: "$.output.price <= 100" } },
            actions: [{ type: "set", params: { price: "$.output.price" } }],
          },
          { target: "refused" },
        ],
        "task.failed": [{ target: "refused", guard: { type: "failure", params: { codes: ["shop/*"] } } }],
      },
    },
    cool: { entry: [{ type: "timer", params: { for: "1 d" } }], on: { "timer.fired": "approval" } },
    approval: { on: { approved: [{ target: "deliver" }] } },
    deliver: {
      entry: [{ type: "task", params: { capability: "deliver", input: { price: "$.variables.price" } } }],
      on: { "task.completed": { target: "done" } },
    },
    done: { type: "final" },
    refused: { type: "final", tags: ["failed"] },
  },
} as const;

const doing = {
  quote: ({ input }: { input: { item: string }; fail: (code: string, message: string) => never }) => ({
    price: input.item === "ring" ? 1_000 : 50,
  }),
  deliver: () => null,
};

test("a hand-written machine is a durable definition: it goes on after a restart, and gives its variables", async () => {
  using folder = makeFolder();
  const first = await setScene({ doing, options: { store: folder.store } });
  await first.troupe.workflows.define(order);
  const { id } = await first.troupe.run("order", { item: "spoon" });
  // Polling: the run waits for its timer, and no promise tells that it does.
  await expect
    .poll(async () => (await (await first.troupe.runs.get(id)).status()).currentSteps?.map(({ path }) => path))
    .toEqual(["cool"]);
  await first.close();
  const second = await setScene({ doing, options: { store: folder.store }, clock: first.clock, seen: first.seen });
  await second.troupe.runs.recovered();
  await second.clock.advance(86_400_000);
  const run = await second.troupe.runs.get(id);
  await expect.poll(async () => (await run.status()).currentSteps?.map(({ path }) => path)).toEqual(["approval"]);
  await run.signal("approved", {});
  expect(await run.result()).toEqual({ ok: true, value: { tries: 0, price: 50 } });
  expect(second.seen.map(({ capability, input }) => [capability, input])).toEqual([
    ["quote", { item: "spoon" }],
    ["deliver", { price: 50 }],
  ]);
  await second.close();
});

test("a guard that does not hold, and a failure, lead where the arrows say", async () => {
  const scene = await setScene({
    doing: { quote: ({ input, fail }) => (input.item === "ring" ? { price: 1_000 } : fail("shop/closed", "closed")) },
  });
  for (const item of ["ring", "spoon"]) {
    const run = await scene.troupe.run(order, { item });
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "workflow/failed-by-definition" } });
  }
  await scene.close();
});

test("the same config is a machine that XState runs by the same arrows", () => {
  const machine = createMachine(order as never).provide({
    guards: { when: () => true, failure: () => true },
    actions: { task: () => {}, timer: () => {}, set: () => {} },
  });
  const actor = createActor(machine).start();
  const walked = [actor.getSnapshot().value];
  for (const type of ["task.completed", "timer.fired", "approved", "task.completed"]) {
    actor.send({ type });
    walked.push(actor.getSnapshot().value);
  }
  expect(walked).toEqual(["quote", "cool", "approval", "deliver", "done"]);
  expect(actor.getSnapshot().status).toBe("done");
});

test("what would not survive is refused, all of it at once, with what to write instead", () => {
  const { problems, definitions } = readDefinition({
    id: "bad",
    initial: "nowhere",
    states: {
      a: { invoke: { src: "x" }, on: { go: "b" } },
      b: {
        after: { 100: "c" },
        entry: [{ type: "task", params: { capability: "x" } }],
        on: { "task.completed": "cc" },
      },
      c: { entry: ["log"], on: { "timer.fired": { target: "d", guard: "inline" } } },
      d: { states: { e: {} }, always: [{ target: "f", guard: { type: "when", params: { expression: "$.input.x" } } }] },
      e: { on: { one: "f", two: "f" } },
      f: { type: "final" },
    },
  });
  expect(definitions).toEqual([]);
  const told = problems.map(({ path, message }) => `${writePath(path)}: ${message}`).join("\n");
  for (const words of [
    /^initial: must name a state/m,
    /^states\.a\.invoke: .*ask for a task/m,
    /^states\.b\.after: .*wait by a timer/m,
    /^states\.b\.on\["task\.completed"\]: leads to `cc`.*did you mean `c`|^states\.b\.on\["task\.completed"\]: leads to `cc`/m,
    /^states\.c\.entry: must be one effect/m,
    /^states\.d\.states: .*side by side/m,
    /^states\.d\.always: needs a last arrow without a guard/m,
    /^states\.e: waits for 2 events/m,
  ])
    expect(told).toMatch(words);
});

test("hostile names and any value at all make problems, and nothing else", () => {
  const proto = JSON.parse(
    '{"__proto__":{"entry":[{"type":"task","params":{"id":"x","__proto__":1}}],"on":{"task.completed":"constructor"}}}',
  ) as object;
  for (const states of [
    proto,
    { a: { on: { toString: "hasOwnProperty" } } },
    { a: { entry: 7, on: 7, always: [7] } },
    { a: null },
    {},
  ])
    expect(readDefinition({ initial: "a", states }).definitions).toEqual([]);
  expect(({} as { entry?: unknown }).entry).toBeUndefined();
});
