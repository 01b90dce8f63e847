import { describe, expect, test } from "vitest";
import type { SessionInput } from "../../machines/session/events.ts";
import type { SessionState } from "../../machines/session/state.ts";
import { stepSession } from "../../machines/session/step.ts";
import { memoryWorld } from "./memory-world.ts";
import { ordering, type Scenario } from "./transport-contract.ts";
import { endurance } from "./transport-endings.ts";
import { judgeHistory } from "./transport-host.ts";
import { strangers } from "./transport-strangers.ts";

type Step = typeof stepSession;

/** One rule of the protocol switched off, from outside of the machine. */
const mutants: readonly (readonly [rule: string, step: Step])[] = [
  [
    "dedupe",
    (state, input) => {
      const [next, effects] = stepSession(state, input);
      if (input.type !== "frame" || input.frame.t !== "M" || input.pipe !== state.pipe) return [next, effects];
      const again = input.frame.m.filter(({ s }) => s <= state.recv);
      return [next, [...again.map((envelope) => ({ type: "deliver", envelope }) as const), ...effects]];
    },
  ],
  ["replay", (state, input) => stepSession(state, pretendAllArrived(state, input))],
  ["credit", (state, input) => stepSession(state, giveCredit(input))],
  [
    "epoch",
    (state, input) =>
      stepSession(state, "pipe" in input && input.type !== "attach" ? { ...input, pipe: state.pipe } : input),
  ],
];

function pretendAllArrived(state: SessionState, input: SessionInput): SessionInput {
  return input.type === "attach" ? { ...input, peerRecv: state.outbox.lastSent } : input;
}

function giveCredit(input: SessionInput): SessionInput {
  if (input.type === "attach") return { ...input, limit: Number.MAX_SAFE_INTEGER };
  if (input.type !== "frame" || !("l" in input.frame)) return input;
  return { ...input, frame: { ...input.frame, l: Number.MAX_SAFE_INTEGER } };
}

const scenarios: readonly Scenario[] = [...ordering, ...strangers, ...endurance];

/** The scenario that notices each first. */
const finders = {
  dedupe: /sent again is delivered once/,
  replay: /however the connection is cut|cut after any frame/,
  credit: /beyond the credit/,
  epoch: /newer connection takes over/,
};

/** The first scenario that fails. */
async function findFailure(step: Step): Promise<string | undefined> {
  for (const [title, run] of scenarios) {
    await using world = memoryWorld({ seed: 1, step });
    const failed = await run(world).then(
      () => undefined,
      () => title,
    );
    if (failed !== undefined) return failed;
  }
  return undefined;
}

describe("the contract notices a transport", () => {
  test("that is whole", async () => {
    expect(await findFailure(stepSession)).toBe(undefined);
  });

  test.each(mutants)("without %s", async (rule, step) => {
    expect(await findFailure(step)).toMatch(finders[rule as keyof typeof finders]);
  });
});

describe("the checker of histories", () => {
  const sent = [0, 1, 2].map((id) => ({ deed: "sent", stream: "s", id }) as const);
  const arrived = (...ids: number[]): { deed: "delivered"; stream: string; id: number }[] =>
    ids.map((id) => ({ deed: "delivered", stream: "s", id }));

  test.each([
    ["what is whole", arrived(0, 1, 2), []],
    ["a loss", arrived(0, 2), ["s: 1 was lost"]],
    ["a repetition", arrived(0, 1, 1, 2), ["s: 1 was delivered twice"]],
    ["disorder", arrived(0, 2, 1), ["s: 1 came after 2"]],
    ["an invention", arrived(0, 1, 2, 3), ["s: 3 was delivered, but not sent"]],
  ])("knows %s", (_, deeds, expected) => {
    expect(judgeHistory([...sent, ...deeds], true)).toEqual(expected);
  });

  test("knows a monitor that fell twice, and a call without an end", () => {
    const of = (deed: "watched" | "down" | "called", id: number) => ({ deed, stream: "m", id }) as const;
    expect(judgeHistory([of("watched", 1), of("down", 1), of("down", 1), of("called", 2)], false)).toEqual([
      "m 1: 1 watched, 2 down",
      "m 2: 1 called, 0 settled",
    ]);
  });
});
