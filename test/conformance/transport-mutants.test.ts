import { describe, expect, test } from "vitest";
import type { SessionInput } from "../../machines/session/events.ts";
import type { SessionState } from "../../machines/session/state.ts";
import { stepSession } from "../../machines/session/step.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { memoryWorld } from "./memory-world.ts";
import { ordering, type Scenario } from "./transport-contract.ts";
import { endurance } from "./transport-endings.ts";
import { judgeHistory, type Deed } from "./transport-history.ts";
import { strangers } from "./transport-strangers.ts";
import { tellThrough } from "./transport-world.ts";
import { webSocketWorld } from "./websocket-world.ts";

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
    const failed = await tellThrough(memoryWorld({ seed: 1, step }), run).then(
      () => undefined,
      () => title,
    );
    if (failed !== undefined) return failed;
  }
  return undefined;
}

describe("the contract over memory notices a transport", () => {
  test("that is whole", async () => {
    expect(await findFailure(stepSession)).toBe(undefined);
  });

  test.each(mutants)("without %s", async (rule, step) => {
    expect(await findFailure(step)).toMatch(finders[rule as keyof typeof finders]);
  });
});

/** The scenario that is told over real sockets without each rule. It passes with all of them: the contract has it. */
const revealing = {
  dedupe: /sent again is delivered once/,
  replay: /not acknowledged is sent again/,
  credit: /beyond the credit/,
  epoch: /older connection still says/,
};

describe.each([jsonCodec, msgpackCodec])("the contract over WebSocket in $name notices a transport", (codec) => {
  test.each(mutants)("without %s", async (rule, step) => {
    const found = scenarios.filter(([title]) => revealing[rule as keyof typeof revealing].test(title));
    expect(found.length).toBe(1);
    for (const [, run] of found) {
      await expect(tellThrough(webSocketWorld({ seed: 1, codec, step }), run)).rejects.toThrow(
        /^expected .* to (deeply equal|be) /,
      );
    }
  });
});

describe("the checker of histories", () => {
  const of = (deed: Deed["deed"], ...ids: number[]): Deed[] => ids.map((id) => ({ deed, stream: "s", id }));
  const call = (id: number): Deed[] => [...of("called", id), ...of("answered", id), ...of("settled", id)];

  test.each([
    ["what is whole", of("delivered", 0, 1, 2), []],
    ["a loss", of("delivered", 0, 2), ["s: 1 was lost"]],
    ["a repetition", of("delivered", 0, 1, 1, 2), ["s: 1 was delivered twice"]],
    ["disorder", of("delivered", 0, 2, 1), ["s: 1 came after 2"]],
    ["an invention", of("delivered", 0, 1, 2, 3), ["s: 3 was delivered, but not sent or said"]],
  ])("knows %s", (_, deeds, expected) => {
    expect(judgeHistory([...of("sent", 0, 1, 2), ...deeds], "arrived")).toEqual(expected);
  });

  test.each([
    ["that it is whole", [...of("sent", 1), ...of("doubtful", 1), ...call(2), ...of("resolved", 2)], []],
    [
      "a monitor that fell twice",
      [...of("watched", 1), ...of("told", 1, 1), ...of("down", 1)],
      ["s: 1 was told twice"],
    ],
    ["a monitor that never fell", of("watched", 1), ["s: 1 was watched, and 0 times down or left"]],
    ["a call that nobody heard of again", call(2), ["s: 2 was called, and 0 times resolved"]],
    ["a call with two answers", [...call(2), ...of("answered", 2), ...of("resolved", 2)], ["s: 2 was answered twice"]],
    ["a letter that nobody sent", of("dead", 3), ["s: 3 was dead, but not sent or called"]],
    [
      "a letter of what was taken",
      [...of("sent", 1), ...of("delivered", 1), ...of("dead", 1)],
      ["s: 1 was delivered, and came back"],
    ],
  ] as const)("knows, when all is over, %s", (_, deeds, expected) => {
    expect(judgeHistory(deeds, "over")).toEqual(expected);
  });
});
