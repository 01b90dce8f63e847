import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failureCodes } from "../../../machines/failure-codes.ts";
import { failure, type FailureCode } from "../../../machines/failure.ts";
import {
  firstAttempt,
  movesMax,
  nextLink,
  type RecoveryPlan,
  type RecoveryProgress,
} from "../../../machines/call/recovery.ts";

const full: RecoveryPlan = { attempts: 3, retryCodes: undefined, fallbacks: 2, otherAgents: 2 };

/** The links that follow one another when every attempt fails with these codes in turn, the last one for good. */
function chain(plan: RecoveryPlan, codes: readonly FailureCode[], started = true): string[] {
  const links: string[] = [];
  let progress: RecoveryProgress = firstAttempt;
  for (let turn = 0; turn < 50; turn += 1) {
    const code = codes[Math.min(turn, codes.length - 1)] as FailureCode;
    const step = nextLink(plan, progress, { failure: failure(code, "it failed"), started });
    links.push(step.link.link === "retry" ? `retry ${step.link.attempt}` : step.link.link);
    if (step.link.link === "give-up") return links;
    progress = step.progress;
  }
  return links;
}

describe("the recovery chain", () => {
  test("retry, then fallbacks, then other agents, then failure as data", () => {
    expect(chain(full, ["agent/crashed"])).toEqual([
      "retry 1",
      "retry 2",
      "fallback",
      "fallback",
      "another-agent",
      "another-agent",
      "give-up",
    ]);
  });

  test.each([
    [{ ...full, attempts: 1 }, ["fallback", "fallback", "another-agent", "another-agent", "give-up"]],
    [{ ...full, fallbacks: 0 }, ["retry 1", "retry 2", "another-agent", "another-agent", "give-up"]],
    [{ attempts: 1, retryCodes: undefined, fallbacks: 0, otherAgents: 0 }, ["give-up"]],
  ])("%j: a link that is not declared is skipped", (plan, links) => {
    expect(chain(plan, ["agent/crashed"])).toEqual(links);
  });

  test.each([
    "call/timeout",
    "call/cancelled",
    "call/budget-exhausted",
    "dispatch/stage-failed",
    "system/closed",
  ] as const)("%s ends the chain at once", (code) => {
    expect(chain(full, [code])).toEqual(["give-up"]);
  });

  test("a retry follows only what a retry can mend, or the codes declared", () => {
    expect(chain(full, ["agent/invalid-output"])[0]).toBe("fallback");
    expect(chain({ ...full, retryCodes: ["agent/invalid-output"] }, ["agent/invalid-output"])[0]).toBe("retry 1");
    expect(chain({ ...full, retryCodes: ["agent/invalid-output"] }, ["agent/crashed"])[0]).toBe("fallback");
  });

  test("a call that was never started moves off a stopped agent first, so often and no more", () => {
    const moves = chain(full, ["agent/stopped"], false);
    expect(moves.slice(0, movesMax)).toEqual(Array.from({ length: movesMax }, () => "move"));
    expect(moves.slice(movesMax)).toEqual(chain(full, ["agent/stopped"], true));
    expect(chain(full, ["call/busy"], false)[0]).toBe("retry 1");
  });

  test("any plan and any failures: the chain ends, in its order, and no link is taken more often than declared", () => {
    const plan = fc.record({
      attempts: fc.integer({ min: 1, max: 5 }),
      retryCodes: fc.option(fc.subarray(Object.keys(failureCodes)), { nil: undefined }),
      fallbacks: fc.nat(4),
      otherAgents: fc.nat(4),
    });
    const codes = fc.array(fc.constantFrom(...(Object.keys(failureCodes) as FailureCode[])), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(plan, codes, fc.boolean(), (own, failing, started) => {
        const links = chain(own, failing, started);
        expect(links.at(-1)).toBe("give-up");
        const count = (name: string): number => links.filter((link) => link.startsWith(name)).length;
        expect(count("retry")).toBeLessThan(own.attempts);
        expect(count("fallback")).toBeLessThanOrEqual(own.fallbacks);
        expect(count("another")).toBeLessThanOrEqual(own.otherAgents);
        expect(count("move")).toBeLessThanOrEqual(movesMax);
        const order = links
          .filter((link) => link !== "move")
          .map((link) => ["retry", "fallback", "another", "give"].findIndex((each) => link.startsWith(each)));
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
    );
  });
});
