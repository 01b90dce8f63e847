import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  admitCall,
  closedBreaker,
  defaultBreakerLimits,
  recordResult,
  releaseProbe,
  wouldAdmit,
  type BreakerState,
} from "../../../machines/breaker/breaker.ts";
import { breakerChart } from "../../../machines/breaker/machine.ts";

const limits = { failures: 2, openMs: 100, probes: 2 };

/** Plays steps at their times: "+" a call that works, "-" one that fails, "?" one that is only let through, "/" a probe given back. */
function play(steps: string): string {
  let state: BreakerState = closedBreaker;
  const told: string[] = [];
  for (const step of steps.split(" ")) {
    const at = /^(\d+)(.)$/.exec(step);
    const now = Number(at?.[1]);
    const what = at?.[2];
    if (what === "/") state = releaseProbe(state);
    else {
      const { state: next, admitted } = admitCall(state, now, limits);
      state = next;
      if (!admitted) {
        told.push(`${step} refused`);
        continue;
      }
      if (what !== "?") state = recordResult(state, what === "+", { now, limits });
    }
    told.push(`${step} ${state.name}`);
  }
  return told.join(", ");
}

describe("the breaker", () => {
  test("its defaults are those of the documents", () => {
    expect(defaultBreakerLimits).toEqual({ failures: 5, openMs: 60_000, probes: 3 });
  });

  test.each([
    ["0- 1+ 2- 3+", "0- closed, 1+ closed, 2- closed, 3+ closed"],
    ["0- 1- 2+", "0- closed, 1- open, 2+ refused"],
    ["0- 1- 100+ 101+", "0- closed, 1- open, 100+ refused, 101+ halfOpen"],
    ["0- 1- 101+ 102+ 103-", "0- closed, 1- open, 101+ halfOpen, 102+ closed, 103- closed"],
    ["0- 1- 101+ 102- 103+ 202+", "0- closed, 1- open, 101+ halfOpen, 102- open, 103+ refused, 202+ halfOpen"],
    [
      "0- 1- 101? 102? 103? 104/ 105? 106?",
      "0- closed, 1- open, 101? halfOpen, 102? halfOpen, 103? refused, 104/ halfOpen, 105? halfOpen, 106? refused",
    ],
    ["0/ 1-", "0/ closed, 1- closed"],
  ])("%s", (steps, expected) => {
    expect(play(steps)).toBe(expected);
  });

  const anyStep = fc.record({ wait: fc.nat(60), what: fc.constantFrom("admit", "work", "fail", "release") });

  test("under any steps: every move is one of its chart, probes are never more than allowed, and looking changes nothing", () => {
    fc.assert(
      fc.property(
        fc.record({
          failures: fc.integer({ min: 1, max: 4 }),
          openMs: fc.nat(100),
          probes: fc.integer({ min: 1, max: 4 }),
        }),
        fc.array(anyStep, { maxLength: 100 }),
        (own, steps) => {
          let [state, now] = [closedBreaker, 0];
          const follow = (next: BreakerState): void => {
            if (next.name !== state.name) {
              const moves = breakerChart.events.map((event) => breakerChart.next(state.name, event));
              expect(moves).toContain(next.name);
            }
            state = next;
            expect(state.admitted).toBeLessThanOrEqual(own.probes);
            expect(state.worked).toBeLessThanOrEqual(own.probes);
            expect(state.failures).toBeLessThan(own.failures);
          };
          for (const { wait, what } of steps) {
            now += wait;
            const looked = wouldAdmit(state, now, own);
            if (what === "admit") {
              const admission = admitCall(state, now, own);
              expect(admission.admitted).toBe(looked);
              follow(admission.state);
            } else if (what === "release") follow(releaseProbe(state));
            else follow(recordResult(state, what === "work", { now, limits: own }));
          }
        },
      ),
    );
  });

  test("one that is open lets calls through again after its time, whatever came before", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 50 }), (steps) => {
        let [state, now] = [closedBreaker, 0];
        for (const { wait, what } of steps) {
          now += wait;
          state =
            what === "admit"
              ? admitCall(state, now, limits).state
              : what === "release"
                ? releaseProbe(state)
                : recordResult(state, what === "work", { now, limits });
        }
        if (state.name === "open") expect(wouldAdmit(state, state.openedAt + limits.openMs, limits)).toBe(true);
      }),
    );
  });
});
