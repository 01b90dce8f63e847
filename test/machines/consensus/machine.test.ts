import { describe, expect, it } from "vitest";
import { createActor, initialTransition, transition } from "xstate";
import type { AdmittedBallot, Refusal } from "../../../machines/consensus/ballot/admission.ts";
import { collect, idleCollection, type CollectState } from "../../../machines/consensus/ballot/collect.ts";
import type { CollectEffect } from "../../../machines/consensus/ballot/effects.ts";
import type { AbsenceReason, CollectEvent } from "../../../machines/consensus/ballot/events.ts";
import { ballotMachine } from "../../../machines/consensus/ballot/machine.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import { seededRandom } from "../../../src/testing/seeded.ts";
import { abstain, approve, single, unsigned } from "../../consensus/council.ts";
import { bodyOf, roundOf } from "./ballot-scenes.ts";

const schedules = 600;
const events: CollectEvent["type"][] = [
  "round.open",
  "commit.received",
  "ballots.received",
  "ballot.refused",
  "voter.lost",
  "time.expired",
  "closing.signed",
];

interface Dice {
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

function diceOf(seed: number): Dice {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return { below, pick: (items) => items[below(items.length)]! };
}

function drawRound(dice: Dice): Round {
  const members = Array.from({ length: 1 + dice.below(6) }, () => ({
    weight: 1 + dice.below(4),
    group: dice.pick(["g1", "g2"]),
  }));
  return roundOf(members, {
    method: dice.pick(["single", "approval"] as const),
    prefer: dice.pick(["score", "bold"] as const),
    confidence: { floor: dice.pick([0, 3_000]), gate: dice.pick([null, 7_000]), weight: 3_000 },
    minBallots: 1,
    ...(dice.below(3) === 0 ? { commitClosesAt: 500 } : {}),
  });
}

/** Any event, also such as no honest shell sends: strangers, repeats, the wrong phase, times out of order. */
function drawEvent(dice: Dice, round: Round): CollectEvent {
  const index = dice.below(round.electorate.members.length);
  const voter = round.electorate.members[index]?.id ?? "";
  const at = dice.pick([0, 500, 999, 1_000, 1_001]);
  const choice = dice.pick([
    round.proposal.method === "single" ? single("x") : approve("x", "y"),
    round.proposal.method === "single" ? single("y") : approve("z"),
    abstain,
  ]);
  const ballot = (): AdmittedBallot => ({
    ...unsigned(bodyOf(round, index, { choice, confidence: dice.pick([null, 2_000, 9_000]) })),
    ...(round.proposal.commitClosesAt === undefined ? {} : { commitment: dice.pick(["c1", "c1", "c2", null]) }),
  });
  if (round.proposal.commitClosesAt !== undefined && dice.below(3) > 0) {
    const commitment = dice.pick(["c1", "c1", "c1", "c2"]);
    return {
      type: "commit.received",
      at: dice.pick([0, 500, 501]),
      voter: dice.pick([voter, voter, "stranger"]),
      commitment,
    };
  }
  switch (dice.below(12)) {
    case 0:
      return { type: "time.expired", at };
    case 1:
      return {
        type: "voter.lost",
        voter: dice.pick([voter, "stranger"]),
        reason: dice.pick<AbsenceReason>(["failed", "refused", "silent"]),
      };
    case 2:
      return {
        type: "ballot.refused",
        row: dice.pick<Refusal>(["malformed", "stale", "unknownVoter", "weightClaim", "forged"]),
      };
    case 3:
      return { type: "closing.signed", sig: dice.pick([null, "ab".repeat(64)]) };
    case 4:
      return { type: "round.open", round, close: dice.pick(["early", "all"] as const) };
    case 5:
      return {
        type: "ballots.received",
        at,
        ballots: [
          ballot(),
          unsigned({ ...bodyOf(round, index, { choice: abstain, confidence: null }), voter: "stranger" }),
        ],
      };
    default:
      return { type: "ballots.received", at, ballots: dice.below(4) === 0 ? [ballot(), ballot()] : [ballot()] };
  }
}

function drawSchedule(seed: number): CollectEvent[] {
  const dice = diceOf(seed);
  const round = drawRound(dice);
  const opening: CollectEvent[] =
    dice.below(10) === 0 ? [] : [{ type: "round.open", round, close: dice.pick(["early", "all"] as const) }];
  const middle = Array.from({ length: 3 + dice.below(round.proposal.commitClosesAt === undefined ? 12 : 30) }, () =>
    drawEvent(dice, round),
  );
  return [
    ...opening,
    ...middle,
    { type: "time.expired", at: 1_000 },
    { type: "closing.signed", sig: null },
    drawEvent(dice, round),
  ];
}

const reached = new Set<string>();
const moves = new Set<string>();

/** Runs a schedule through the core and through XState's pure transition, comparing after every event. */
function compare(seed: number): void {
  let state: CollectState = idleCollection;
  let [snapshot] = initialTransition(ballotMachine);
  for (const event of drawSchedule(seed)) {
    const [next, effects] = collect(state, event);
    const before = snapshot.value;
    const [after, actions] = transition(ballotMachine, snapshot, event);
    const performed = actions.map(({ type, params }) => ({ type, params }) as CollectEffect);
    expect(performed, `seed ${seed}, ${event.type}`).toEqual(effects);
    expect(after.context, `seed ${seed}, ${event.type}`).toEqual(next);
    expect(after.value, `seed ${seed}, ${event.type}`).toBe(next.phase);
    if (before !== after.value) moves.add(`${String(before)} -> ${String(after.value)}`);
    reached.add(next.phase);
    state = next;
    snapshot = after;
  }
}

describe("the ballot chart", () => {
  it(`gives the same state and effects as the core over ${schedules} random schedules (P14)`, () => {
    for (let seed = 1; seed <= schedules; seed += 1) compare(seed);
    expect([...reached].sort()).toEqual(Object.keys(ballotMachine.config.states ?? {}).sort());
    // An idle round opens; a collecting one closes; a tallied one ends in one of two ways. Nothing else moves.
    expect([...moves].sort()).toEqual([
      "collect -> tally",
      "commit -> collect",
      "commit -> tally",
      "idle -> collect",
      "idle -> commit",
      "tally -> decided",
      "tally -> undecided",
    ]);
  });

  it("runs as a live actor exactly as the core does", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const actor = createActor(ballotMachine).start();
      let state = idleCollection;
      for (const event of drawSchedule(seed)) {
        actor.send(event);
        state = collect(state, event)[0];
      }
      expect(actor.getSnapshot().context).toEqual(state);
      expect(actor.getSnapshot().value).toBe(state.phase);
      actor.stop();
    }
  });

  it("is plain JSON, and every state and every arrow is described in words", () => {
    const { config } = ballotMachine;
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    expect(config.description).toMatch(/\w+ .*\.$/);
    let arrows = 0;
    const heard = new Set<string>();
    for (const [name, state] of Object.entries(config.states ?? {})) {
      expect(state.description, name).toMatch(/^[A-Z].*\.$/);
      for (const [event, transitions] of [...Object.entries(state.on ?? {}), ["always", state.always] as const]) {
        if (event !== "always") heard.add(event);
        for (const arrow of [transitions].flat()) {
          if (arrow === undefined) continue;
          arrows += 1;
          expect((arrow as { description?: string }).description, `${name} ${event}`).toMatch(/^[A-Z].*\.$/);
        }
      }
    }
    expect(arrows).toBeGreaterThan(10);
    expect([...heard].sort()).toEqual([...events].sort());
  });

  it("has states that survive JSON, so that a round can be shown, stored and resumed", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      let state = idleCollection;
      for (const event of drawSchedule(seed)) {
        const [next] = collect(state, event);
        expect(collect(JSON.parse(JSON.stringify(state)) as CollectState, event)[0]).toEqual(next);
        state = next;
      }
    }
  });

  it("bounds its eventless moves", () => {
    expect(ballotMachine.config.options?.maxIterations).toBe(8);
  });
});
