import type { Outcome } from "../../machines/failure.ts";
import { failure } from "../../machines/failure.ts";
import { decide, type DecidePorts, type DecideRequest } from "../../src/consensus/decide.ts";
import type { Decision } from "../../src/consensus/decision.ts";
import type { Opinion } from "../../src/consensus/opinion/opinion.ts";
import type { Voter } from "../../src/consensus/voter.ts";
import { Observe, type Happening } from "../../src/ports/observe.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededIds } from "../../src/testing/seeded.ts";
import { coordinatorSigner, memberWithKey, type MemberSpec } from "./council.ts";

/** What a voter of a test answers: an opinion form as it is, or a function that gives the outcome. */
export type Answer = object | string | null | Voter["opine"];

export function opinionOf(recommendation: string, rest: Partial<Opinion> = {}): Partial<Opinion> {
  return {
    recommendation,
    confidence: recommendation === "abstain" ? null : 0.8,
    reasoning: `I say ${recommendation}.`,
    ...rest,
  };
}

export function voterOf(spec: MemberSpec | string, answer: Answer): Voter {
  const { member, signer } = memberWithKey(typeof spec === "string" ? { id: spec } : spec);
  return {
    member,
    signer,
    opine: async (question, context) =>
      typeof answer === "function" ? await answer(question, context) : { ok: true, value: answer },
  };
}

/** A voter that answers after some time, or when it is told to stop. */
export function slow(clock: FakeClock, delayMs: number, value: unknown): Answer {
  return (_: unknown, { signal }: { signal: AbortSignal }) => {
    const { promise, resolve } = Promise.withResolvers<Outcome<unknown>>();
    const timer = clock.after(delayMs, () => resolve({ ok: true, value }));
    signal.addEventListener("abort", () => {
      timer.cancel();
      resolve({ ok: false, failure: failure("call/cancelled", "told to stop") });
    });
    return promise;
  };
}

export const failing: Answer = async () => ({ ok: false, failure: failure("agent/crashed", "it fell over") });
export const silent: Answer = () => new Promise(() => undefined);

/** A place to decide in: a clock that stands still, and everything that was published. */
export interface Room {
  readonly clock: FakeClock;
  readonly observe: Observe;
  readonly heard: Happening[];
  readonly ports: DecidePorts;
  decide(
    request: Omit<DecideRequest, "question" | "options"> & Partial<Pick<DecideRequest, "question" | "options">>,
  ): Promise<Decision>;
}

export function openRoom(rest: Partial<DecidePorts> = {}): Room {
  const clock = new FakeClock();
  const observe = new Observe();
  const heard: Happening[] = [];
  const ports = { clock, ids: seededIds(7), observe, coordinator: coordinatorSigner, ...rest };
  return {
    clock,
    observe,
    heard,
    ports,
    decide: (request) => decide({ question: "Which rollout?", options: ["x", "y", "z"], ...request }, ports),
  };
}
