import fc from "fast-check";
import type { Cast } from "../../../machines/consensus/ballot/count.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import {
  methods,
  type BallotBody,
  type Choice,
  type Method,
  type ProposalBody,
} from "../../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import type { Member } from "../../../machines/consensus/electorate/electorate.ts";
import { sha256 } from "../../../src/consensus/ed25519.ts";
import { unsigned } from "../../consensus/council.ts";

/** What one member does in a scene: nothing, one choice, or two different ones. */
export type Act = null | { readonly choice: Choice; readonly confidence: number | null; readonly isTwice?: boolean };

/** A round with made-up members, and what each of them does. */
export interface Scene {
  readonly round: Round;
  readonly acts: readonly Act[];
}

export interface SceneRules extends Partial<Omit<ProposalBody, "options">> {
  readonly options?: readonly string[];
}

export function roundOf(members: readonly { weight: number; group?: string }[], rules: SceneRules = {}): Round {
  const list = members.map((member, index): Member => ({
    id: `m${String(index).padStart(3, "0")}`,
    publicKey: "ab".repeat(32),
    ...member,
  }));
  const { options = ["x", "y", "z"], ...rest } = rules;
  const proposal: ProposalBody = {
    v: 1,
    decisionId: "scene",
    round: 1,
    question: "?",
    contextDigest: "00".repeat(32),
    method: "single",
    prefer: "score",
    threshold: { num: 2, den: 3, strict: true, of: "registered" },
    participation: { num: 2, den: 3, strict: true },
    minBallots: 1,
    confidence: { floor: 0, gate: null, weight: 3_000 },
    diversity: 1_000,
    defaultOption: null,
    closesAt: 1_000,
    electorateDigest: "00".repeat(32),
    coordinator: "cd".repeat(32),
    closing: "coordinator",
    ...rest,
    options: options.map((id) => ({ id, digest: "00".repeat(32) })),
  };
  return {
    proposal,
    proposalDigest: "11".repeat(32),
    electorate: { v: 1, epoch: 0, members: list },
    electorateDigest: "00".repeat(32),
    tieKeys: proposal.options.map(({ id }) => digestOf([proposal.decisionId, proposal.round, id], sha256)),
  };
}

export function bodyOf(round: Round, index: number, act: { choice: Choice; confidence: number | null }): BallotBody {
  return {
    v: 1,
    decisionId: round.proposal.decisionId,
    round: 1,
    proposalDigest: round.proposalDigest,
    electorateDigest: round.electorateDigest,
    voter: round.electorate.members[index]?.id ?? "",
    choice: act.choice,
    confidence: act.confidence,
    reasoningDigest: "00".repeat(32),
    concerns: [],
  };
}

export function castsOfScene({ round, acts }: Scene): (Cast | null)[] {
  return round.electorate.members.map((_, index) => {
    const act = acts[index] ?? null;
    if (act === null) return null;
    const ballot = unsigned(bodyOf(round, index, act));
    const other = unsigned({ ...ballot.body, concerns: ["the second ballot"] });
    return { ballot, conflicting: act.isTwice === true ? other : null };
  });
}

/** A ranking of some of the options in tiers, by a draw of a tier for each; tier 3 leaves an option out. */
function rankingOf(options: readonly string[], tiers: readonly number[]): Choice {
  const order = [0, 1, 2]
    .map((tier) => options.filter((_, index) => tiers[index] === tier))
    .filter((tier) => tier.length > 0);
  return order.length === 0 ? { kind: "abstain" } : { kind: "ranked", order };
}

/** Choices of a method over options. */
export function choices(method: Method, options: readonly string[]): fc.Arbitrary<Choice> {
  const perOption = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.array(value, { minLength: options.length, maxLength: options.length });
  const votes: Record<Method, fc.Arbitrary<Choice>> = {
    single: fc.constantFrom(...options).map((option): Choice => ({ kind: "single", option })),
    approval: fc.subarray([...options]).map((chosen): Choice => ({ kind: "approval", options: chosen })),
    ranked: perOption(fc.integer({ min: 0, max: 3 })).map((tiers) => rankingOf(options, tiers)),
    grades: perOption(fc.option(fc.constantFrom(0, 40, 60, 100))).map((grades): Choice => ({
      kind: "grades",
      grades: Object.fromEntries(
        options.flatMap((option, index) => {
          const grade = grades[index] ?? null;
          return grade === null ? [] : [[option, grade] as const];
        }),
      ),
    })),
  };
  const abstains = fc.constant<Choice>({ kind: "abstain" });
  return fc.oneof({ weight: 5, arbitrary: votes[method] }, { weight: 1, arbitrary: abstains });
}

export const confidences = fc.option(fc.constantFrom(0, 1_000, 2_999, 3_000, 5_000, 6_999, 7_000, 9_000, 10_000));

const shares = fc.constantFrom(
  { num: 2, den: 3, strict: true },
  { num: 2, den: 3, strict: false },
  { num: 1, den: 2, strict: true },
  { num: 67, den: 100, strict: false },
  { num: 1, den: 3, strict: false },
);

/** Any rules there are, over up to eight members. */
export const scenes: fc.Arbitrary<Scene> = fc
  .record({
    members: fc.array(
      fc.record({
        weight: fc.integer({ min: 1, max: 9 }),
        group: fc.option(fc.constantFrom("g1", "g2", "g3"), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    method: fc.constantFrom(...methods),
    prefer: fc.constantFrom("score" as const, "bold" as const),
    threshold: shares,
    of: fc.constantFrom("registered" as const, "cast" as const),
    participation: shares,
    minBallots: fc.integer({ min: 1, max: 3 }),
    floor: fc.constantFrom(0, 3_000),
    gate: fc.constantFrom(null, null, 7_000),
    lambda: fc.constantFrom(0, 3_000, 10_000),
    diversity: fc.constantFrom(0, 1_000, 10_000),
    defaultOption: fc.constantFrom(null, "y"),
  })
  .chain((spec) => {
    const members = spec.members.map(({ weight, group }) => (group === undefined ? { weight } : { weight, group }));
    const round = roundOf(members, {
      method: spec.method,
      prefer: spec.prefer,
      threshold: { ...spec.threshold, of: spec.of },
      participation: spec.participation,
      minBallots: Math.min(spec.minBallots, members.length),
      confidence: { floor: spec.floor, gate: spec.gate, weight: spec.lambda },
      diversity: spec.diversity,
      defaultOption: spec.defaultOption,
    });
    const act = fc.record({
      choice: choices(spec.method, ["x", "y", "z"]),
      confidence: confidences,
      isTwice: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    });
    return fc
      .array(fc.option(act, { freq: 8 }), { minLength: members.length, maxLength: members.length })
      .map((acts) => ({ round, acts }));
  });
