export const task = (id: string, more: object = {}): object => ({ id, type: "task", capability: "c", ...more });
export const flow = (...steps: object[]): object => ({ name: "n", steps });

/** Each broken in one way: what is wrong, where the problem is, and words of the message that name the fix. */
export const malformed: readonly (readonly [what: string, value: unknown, path: string, words: RegExp])[] = [
  ["not an object", "steps: []", "", /must be an object with a name and steps/],
  ["no form at all", { name: "n" }, "", /needs `steps`, a list with at least one step/],
  ["an unknown field of the definition", { name: "n", timout: 5, steps: [task("a")] }, "timout", /no field `timout`/],
  [
    "a misspelt field of a step",
    flow({ id: "a", type: "task", capabilty: "c" }),
    "steps[0].capabilty",
    /did you mean `capability`\?/,
  ],
  [
    "a field of another kind",
    flow(task("a", { decision: { expression: "1", branches: {} } })),
    "steps[0].decision",
    /is for steps of type decision/,
  ],
  ["an unknown kind", flow({ id: "a", type: "taks", capability: "c" }), "steps[0].type", /did you mean `task`\?/],
  ["no type and nothing to tell it by", flow({ id: "a" }), "steps[0].type", /is one of task, subworkflow, parallel/],
  ["a task for nobody", flow({ id: "a", type: "task" }), "steps[0]", /add capability, agent or mode/],
  ["no id", flow({ type: "task", capability: "c" }), "steps[0].id", /`id` is missing/],
  ["an id with a dot", flow(task("a.b")), "steps[0].id", /use letters, digits, _ and -/],
  ["two steps of one id", flow(task("a", { next: "b" }), task("b"), task("b")), "steps[2].id", /another step `b`/],
  [
    "an id twice, in an inner list",
    flow(task("a"), { id: "l", type: "sequence", sequence: { steps: [task("a")] } }),
    "steps[1].sequence.steps[0].id",
    /inner lists included/,
  ],
  [
    "next to nowhere",
    flow(task("fetch", { next: "tranform" }), task("transform", { next: "fetch" })),
    "steps[0].next",
    /did you mean `transform`\?/,
  ],
  [
    "next into another list",
    flow(task("a", { next: "b" }), { id: "s", type: "sequence", sequence: { steps: [task("b")] }, next: "a" }),
    "steps[0].next",
    /`b` is in another list/,
  ],
  [
    "an error route to nowhere",
    flow(task("a", { onError: "mend" })),
    "steps[0].onError[0]",
    /leads to `mend`, and there is no such step/,
  ],
  [
    "a branch to nowhere",
    flow({ id: "d", type: "decision", decision: { expression: "$.input.x", branches: { true: "b" } } }),
    "steps[0].decision.branches.true",
    /leads to `b`/,
  ],
  [
    "a decision without branches",
    flow({ id: "d", type: "decision", decision: { expression: "1", branches: {} } }),
    "steps[0].decision.branches",
    /name at least one step/,
  ],
  [
    "a step that nothing leads to",
    flow(task("a", { next: "$end" }), task("b", { next: "$end" })),
    "steps[1]",
    /no step leads to `b`; lead to it by `next`/,
  ],
  [
    "a circle in which nothing waits",
    flow(
      { id: "d", type: "decision", decision: { expression: "1", branches: { 1: "e" } } },
      { id: "e", type: "decision", decision: { expression: "1", branches: { 1: "d" } } },
    ),
    "steps[0]",
    /lead in a circle in which nothing waits; put a task/,
  ],
  [
    "a loop in which nothing waits",
    flow({
      id: "l",
      type: "loop",
      loop: {
        while: "true",
        steps: [{ id: "d", type: "decision", decision: { expression: "1", branches: { 1: "$end" } } }],
      },
    }),
    "steps[0]",
    /nothing inside `l` waits/,
  ],
  [
    "a loop without an end",
    flow({ id: "l", type: "loop", loop: { steps: [task("a")] } }),
    "steps[0].loop",
    /add while, until, times or over/,
  ],
  ["an empty list", { name: "n", steps: [] }, "steps", /give it at least one/],
  [
    "a branch without steps",
    flow({ id: "p", type: "parallel", parallel: { branches: [{ id: "x" }] } }),
    "steps[0].parallel.branches[0]",
    /the branch `x` has no steps/,
  ],
  [
    "two branches of one id",
    flow({
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "x", steps: [task("a")] },
          { id: "x", steps: [task("b")] },
        ],
      },
    }),
    "steps[0].parallel.branches[1]",
    /another branch `x`/,
  ],
  [
    "a branch after no branch",
    flow({
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "x", after: ["yy"], steps: [task("a")] },
          { id: "y", steps: [task("b")] },
        ],
      },
    }),
    "steps[0].parallel.branches[0].after[0]",
    /did you mean `y`\?/,
  ],
  [
    "branches that wait for each other",
    flow({
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "x", after: ["y"], steps: [task("a")] },
          { id: "y", after: ["x"], steps: [task("b")] },
        ],
      },
    }),
    "steps[0].parallel.branches",
    /wait for each other; one of them must not/,
  ],
  [
    "an expression that breaks off",
    flow(task("a", { input: { v: "$.input.x + " } })),
    "steps[0].input.v",
    /at column \d+/,
  ],
  [
    "a name that $ does not have",
    flow(task("a", { condition: "$.inputs.x" })),
    "steps[0].condition",
    /did you mean `input`\?/,
  ],
  [
    "a function that is not there",
    flow(task("a", { input: ["ok", { deep: "${length($.input.x)}" }] })),
    "steps[0].input[1].deep",
    /no function `length`/,
  ],
  ["a method", flow(task("a", { output: { v: "$.output.trim()" } })), "steps[0].output.v", /methods cannot be called/],
  [
    "a step that is not there, read",
    flow(task("fetch"), task("b", { input: "$.steps.fech.output" })),
    "steps[1].input",
    /did you mean `fetch`\?/,
  ],
  [
    "an environment value that is not named",
    flow(task("a", { input: "$.env.HOME" })),
    "steps[0].input",
    /add it: env: \[HOME\]/,
  ],
  [
    "a broken schema",
    flow(task("a", { schema: { type: "strng" } })),
    "steps[0].schema",
    /no JSON Schema that can be used/,
  ],
  [
    "an input that is no schema",
    { name: "n", input: { feature: "a text" }, steps: [task("a")] },
    "input",
    /write \{ type: "object"/,
  ],
  [
    "a duration that is none",
    flow(task("a", { timeout: "soon" })),
    "steps[0].timeout",
    /write milliseconds, or "30 s"/,
  ],
  [
    "a time that is none",
    flow({ id: "w", type: "wait", wait: { until: "tomorrow" } }),
    "steps[0].wait.until",
    /write ISO 8601/,
  ],
  [
    "a retry on a step without attempts",
    flow({ id: "p", type: "parallel", retry: 3, parallel: { branches: [{ id: "x", steps: [task("a")] }] } }),
    "steps[0].retry",
    /put `retry` on the steps inside/,
  ],
  ["a number out of its range", flow(task("a", { retry: { attempts: 0 } })), "steps[0].retry.attempts", /1/],
  ["a wrong word", flow(task("a", { priority: "urgent" })), "steps[0].priority", /one of "high", "normal", "low"/],
  [
    "a rollback to nowhere",
    flow(task("a", { onError: "rollback" })),
    "steps[0].onError[0]",
    /mark the step to go back to/,
  ],
  [
    "an error route that says nothing",
    flow(task("a", { onError: { error: "x" } })),
    "steps[0].onError",
    /add next, fallback, result/,
  ],
  [
    "a schedule with two times",
    { name: "n", schedules: [{ cron: "* * * * *", every: 5 }], steps: [task("a")] },
    "schedules[0]",
    /either `cron` or `every`/,
  ],
  ["a value that is no data", flow(task("a", { input: { when: new Date(0) } })), "steps[0].input.when", /plain data/],
  ["a function", flow(task("a", { condition: () => true })), "steps[0].condition", /a definition is data/],
  [
    "a phase without a mode",
    { name: "n", phases: [{ name: "One", tasks: ["x"] }] },
    "phases[0].tasks[0].mode",
    /`mode` is missing/,
  ],
  [
    "a phase after no phase",
    {
      name: "n",
      phases: [
        { name: "One", mode: "m", tasks: ["x"] },
        { name: "Two", mode: "m", tasks: ["y"], dependencies: ["Onne"] },
      ],
    },
    "phases[1].dependencies[0]",
    /did you mean `One`\?/,
  ],
  [
    "a misspelt field of a phase",
    { name: "n", phases: [{ name: "One", mode: "m", task: ["x"] }] },
    "phases[0].task",
    /did you mean `tasks`\?/,
  ],
  [
    "a bare branch without steps",
    { id: "x", branches: [{ id: "a", steps: [] }] },
    "branches[0]",
    /the branch `a` has no steps/,
  ],
  [
    "a trigger without a handler",
    { id: "x", triggers: [{ event: "e" }] },
    "triggers[0].handler",
    /`handler` is missing/,
  ],
  [
    "a parallel phase that is none",
    { workflow_templates: { t: { phases: ["a"], parallel_phases: ["b"] } } },
    "workflow_templates.t.parallel_phases[0]",
    /no phase `b`/,
  ],
];
