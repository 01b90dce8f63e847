import { defineAgent, isTroupeError, TroupeError } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const work = { input: z.null(), output: z.null(), run: () => null };

/** Definitions that break the contract, and what the error must name. */
const broken: readonly (readonly [what: string, spec: object])[] = [
  ['agent name ""', { name: "" }],
  ['agent name "a b"', { name: "a b" }],
  ["agent name", { name: "x".repeat(65) }],
  ["declares no capability", { capabilities: {} }],
  ['capability "a b"', { capabilities: { "a b": work } }],
  ['capability "x@0"', { capabilities: { "x@0": work } }],
  ["declares x@1 twice", { capabilities: { x: work, "x@1": work } }],
  ["needs an input and an output schema", { capabilities: { x: { output: z.null(), run: () => null } } }],
  ["needs an input and an output schema", { capabilities: { x: { input: z.null(), run: () => null } } }],
  ["needs a run function", { capabilities: { x: { input: z.null(), output: z.null() } } }],
  ["concurrency", { concurrency: 0 }],
  ["concurrency", { concurrency: 1.5 }],
  ["mailbox.capacity", { mailbox: { capacity: 0 } }],
  ["mailbox.overflow", { mailbox: { overflow: "explode" } }],
  ["startTimeoutMs", { startTimeoutMs: 0 }],
  ["onDemand", { onDemand: { max: 0 } }],
  ["onDemand", { onDemand: { min: 3, max: 2 } }],
  ["heartbeat", { heartbeat: { everyMs: 0 } }],
  ["heartbeat", { heartbeat: { everyMs: 10, missed: 0 } }],
  ["retry.attempts", { capabilities: { x: { ...work, recovery: { retry: {} } } } }],
  ["retry.attempts", { capabilities: { x: { ...work, recovery: { retry: { attempts: 0 } } } } }],
  ["retry.attempts", { capabilities: { x: { ...work, recovery: { retry: { attempts: Number.NaN } } } } }],
  [
    "retry.backoff",
    { capabilities: { x: { ...work, recovery: { retry: { attempts: 2, backoff: { firstMs: -1 } } } } } },
  ],
  ["anotherAgent", { capabilities: { x: { ...work, recovery: { anotherAgent: -1 } } } }],
  ["maxAgeMs", { capabilities: { x: { ...work, recovery: { fallback: [{ cached: true }] } } } }],
  ["breaker", { capabilities: { x: { ...work, breaker: { probes: 0 } } } }],
  ["breaker", { capabilities: { x: { ...work, breaker: { failures: 0 } } } }],
  ["breaker.openMs", { capabilities: { x: { ...work, breaker: { openMs: -1 } } } }],
];

describe("a definition", () => {
  test.each(broken)("is refused for its %s", (what, spec) => {
    const define = (): unknown => defineAgent({ name: "x", capabilities: { work }, ...spec });
    expect(define).toThrow(what);
    expect(define).toThrow(expect.toSatisfy((error: unknown) => isTroupeError(error, "usage/invalid-definition")));
  });

  test("that keeps to it is frozen, and runs nothing", () => {
    let started = 0;
    const agent = defineAgent({
      name: "fine.agent_1-x",
      start: () => {
        started += 1;
      },
      capabilities: { "a.b:c-d_e@2": work },
      concurrency: 10_000,
      mailbox: { capacity: 1 },
    });
    expect(Object.isFrozen(agent)).toBe(true);
    expect(started).toBe(0);
  });
});

describe("errors", () => {
  test("are told by their brand and code, whatever copy of the package threw them", () => {
    const error = new TroupeError("usage/name-taken", "taken", { data: { name: "x" }, cause: "why" });
    expect(isTroupeError(error)).toBe(true);
    expect(isTroupeError(error, "usage/name-taken")).toBe(true);
    expect(isTroupeError(error, "usage/closed")).toBe(false);
    const foreign = Object.assign(new Error("x"), { [Symbol.for("troupe.error")]: true, code: "usage/closed" });
    expect(isTroupeError(foreign, "usage/closed")).toBe(true);
    for (const other of [undefined, null, "usage/closed", new Error("x"), { code: "usage/closed" }])
      expect(isTroupeError(other)).toBe(false);
    expect(error).toMatchObject({ name: "TroupeError", message: "taken", data: { name: "x" }, cause: "why" });
  });
});
