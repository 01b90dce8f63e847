import fc from "fast-check";

/** Random valid definitions: every kind, nested, with retries, timeouts, routes and compensations. */

interface Naming {
  next: number;
}

const options = fc.record(
  {
    condition: fc.constantFrom("$.input.on", "$.input.n > 2", "!$.input.on"),
    retry: fc.record({ attempts: fc.integer({ min: 1, max: 3 }), interval: fc.constantFrom(10, 1_000) }),
    timeout: fc.constantFrom(50, 5_000),
    compensate: fc.constant({ capability: "undo", input: { was: "$.output" } }),
    onError: fc.constantFrom<unknown>(
      { action: "continue", result: 0 },
      [{ error: "call/*", fallback: "other" }, { action: "continue" }],
      { action: "fail" },
    ),
    sla: fc.constant(20),
  },
  { requiredKeys: [] },
);

type Draft = (names: Naming) => object;

const draft =
  (make: (id: string, names: Naming) => object): Draft =>
  (names) => {
    names.next += 1;
    return make(`s${names.next}`, names);
  };

function listArbitrary(depth: number): fc.Arbitrary<(names: Naming) => object[]> {
  return fc
    .array(stepArbitrary(depth), { minLength: 1, maxLength: 3 })
    .map((drafts) => (names) => drafts.map((make) => make(names)));
}

function withoutRetry({ retry: _retry, ...rest }: { retry?: unknown }): object {
  return rest;
}

function stepArbitrary(depth: number): fc.Arbitrary<Draft> {
  const task = options.map((more) =>
    draft((id) => ({
      id,
      type: "task",
      capability: id,
      input: { v: "$.variables" },
      output: { [id]: "$.output" },
      ...more,
    })),
  );
  const wait = fc
    .constantFrom<unknown>(10, { until: 5_000 })
    .map((amount) => draft((id) => ({ id, type: "wait", wait: amount })));
  const event = fc.constant(
    draft((id) => ({ id, type: "event", event: "go", timeout: 100, onError: { action: "continue" } })),
  );
  const emit = fc.constant(draft((id) => ({ id, type: "event", event: { emit: "went", payload: "$.input.n" } })));
  const leaves: fc.Arbitrary<Draft>[] = [task, task, task, wait, event, emit];
  if (depth === 0) return fc.oneof(...leaves);
  const list = listArbitrary(depth - 1);
  const parallel = fc
    .record({
      lists: fc.array(list, { minLength: 1, maxLength: 3 }),
      join: fc.constantFrom<unknown>("all", "settled", "any", { atLeast: 1 }),
      limit: fc.constantFrom<object>({}, { concurrency: 1 }, { concurrency: 2 }),
      more: options,
    })
    .map(({ lists, join, limit, more }) =>
      draft((id, names) => ({
        id,
        type: "parallel",
        ...withoutRetry(more),
        parallel: {
          join,
          merge: "last",
          ...limit,
          branches: lists.map((make, at) => ({ id: `b${at}`, steps: make(names) })),
        },
      })),
    );
  const map = fc
    .record({
      list,
      concurrency: fc.integer({ min: 1, max: 3 }),
      tolerate: fc.integer({ min: 0, max: 2 }),
      more: options,
    })
    .map(({ list: make, concurrency, tolerate, more }) =>
      draft((id, names) => ({
        id,
        type: "map",
        ...withoutRetry(more),
        map: { over: "$.input.items", concurrency, tolerate, steps: make(names) },
      })),
    );
  const loop = fc
    .record({ list, times: fc.integer({ min: 0, max: 3 }), more: options })
    .map(({ list: make, times, more }) =>
      draft((id, names) => ({
        id,
        type: "loop",
        ...withoutRetry(more),
        loop: { times, steps: [...make(names), { id: `${id}_t`, type: "task", capability: "tick" }] },
      })),
    );
  const sequence = fc
    .record({ list, more: options })
    .map(({ list: make, more }) =>
      draft((id, names) => ({ id, type: "sequence", ...withoutRetry(more), sequence: { steps: make(names) } })),
    );
  return fc.oneof(...leaves, parallel, map, loop, sequence);
}

/** The first step is where a failure of the tasks after it goes back to. */
function withRollback(steps: readonly object[]): object[] {
  return steps.map((step, at) => {
    if (at === 0) return { ...step, checkpoint: true };
    return "type" in step && step.type === "task" ? { ...step, onError: { action: "rollback" } } : step;
  });
}

export const definitionArbitrary: fc.Arbitrary<object> = fc
  .record({
    list: listArbitrary(2),
    timeoutMs: fc.option(fc.constantFrom(200, 100_000), { nil: undefined }),
    handler: fc.boolean(),
    rollsBack: fc.boolean(),
  })
  .map(({ list, timeoutMs, handler, rollsBack }) => ({
    name: "random",
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(handler ? { errorHandlers: [{ error: "*", handler: "elsewhere" }] } : {}),
    steps: rollsBack ? withRollback(list({ next: 0 })) : list({ next: 0 }),
  }));

/** What the world does next, chosen by numbers. */
export const choicesArbitrary: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(1_000_000), {
  minLength: 1,
  maxLength: 60,
});
