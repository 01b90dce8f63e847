import type { Choice, ProposalBody } from "../codec/messages.ts";
import { quorumOf, type Threshold } from "../electorate/threshold.ts";
import type { AdmittedBallot } from "./admission.ts";
import { gaugeOf, gradeOf, gradingOf, type Grading } from "./grading.ts";
import { isRankedUp, tiersOf, type Ranking } from "./pairwise.ts";
import type { Round } from "./round.ts";

/** What one member has done so far, in electorate order; null has not been heard. */
export interface Cast {
  readonly ballot: AdmittedBallot;
  /** A second, different ballot: its sender's weight is void. The two smallest digests are kept. */
  readonly conflicting: AdmittedBallot | null;
}
export type Casts = readonly (Cast | null)[];

/** How a heard member counts. */
export type Standing = "counts" | "abstains" | "low-confidence" | "void";

/** One supporter of an option: its weight, confidence and declared group. */
export interface Supporter {
  readonly member: number;
  readonly weight: number;
  readonly confidence: number | null;
  readonly group: string;
}

/** The plain sums that every rule reads. Weights are integers. */
export interface Count {
  /** Supporters per option, in proposal order. */
  readonly supporters: readonly (readonly Supporter[])[];
  readonly support: readonly number[];
  /** Weight of valid ballots, abstentions included. */
  readonly participating: number;
  readonly abstaining: number;
  readonly voided: number;
  /** Ballots that do more than abstain. */
  readonly deciding: number;
  /** Weights of those ballots, ascending. */
  readonly decidingWeights: readonly number[];
  /** Of the method ranked; else empty. */
  readonly rankings: readonly Ranking[];
  /** Of the method grades, per option in proposal order; else empty. */
  readonly gradings: readonly Grading[];
}

/** Members without a declared group share one: nothing shows that they differ. */
export const undeclaredGroup = "";

/** How a member's ballots count under the round's rules. */
export function standingOf(cast: Cast, round: Round): Standing {
  if (cast.conflicting !== null) return "void";
  const { choice, confidence } = cast.ballot.body;
  if (choice.kind === "abstain") return "abstains";
  return confidence !== null && confidence < round.proposal.confidence.floor ? "low-confidence" : "counts";
}

/** The least grade that supports an option: its majority grade, and never 0. */
export function supportingGrade(grading: Grading): number {
  return Math.max(1, gaugeOf(grading).grade);
}

/**
 * The option ids that a choice supports: the chosen ones, those ranked above another one, or those graded at least
 * `leastGrades`, which are in the order of `options`.
 */
export function supportedOptions(
  choice: Choice,
  options: readonly string[],
  leastGrades: readonly number[],
): readonly string[] {
  switch (choice.kind) {
    case "abstain":
      return [];
    case "single":
      return [choice.option];
    case "approval":
      return choice.options;
    case "ranked": {
      const tiers = tiersOf(choice.order, options);
      return options.filter((_, index) => isRankedUp(tiers, index));
    }
    case "grades":
      return options.filter((option, index) => gradeOf(choice.grades, option) >= (leastGrades[index] ?? 1));
  }
}

/** A counted ballot: who cast it, and what it says. */
interface Deciding {
  readonly choice: Choice;
  readonly supporter: Supporter;
}

interface Reading {
  readonly deciding: readonly Deciding[];
  readonly participating: number;
  readonly abstaining: number;
  readonly voided: number;
}

function readCasts(round: Round, casts: Casts): Reading {
  const deciding: Deciding[] = [];
  let participating = 0;
  let abstaining = 0;
  let voided = 0;
  const { members } = round.electorate;
  for (let index = 0; index < members.length; index += 1) {
    const member = members[index];
    const cast = casts[index] ?? null;
    if (member === undefined || cast === null) continue;
    const standing = standingOf(cast, round);
    if (standing === "void") {
      voided += member.weight;
      continue;
    }
    participating += member.weight;
    if (standing !== "counts") {
      abstaining += member.weight;
      continue;
    }
    const { choice, confidence } = cast.ballot.body;
    const supporter = { member: index, weight: member.weight, confidence, group: member.group ?? undeclaredGroup };
    deciding.push({ choice, supporter });
  }
  return { deciding, participating, abstaining, voided };
}

function readRankings(deciding: readonly Deciding[], options: readonly string[]): Ranking[] {
  return deciding.flatMap(({ choice, supporter }) =>
    choice.kind === "ranked" ? [{ weight: supporter.weight, tiers: tiersOf(choice.order, options) }] : [],
  );
}

function readGradings(deciding: readonly Deciding[], options: readonly string[]): Grading[] {
  return options.map((option) =>
    gradingOf(
      deciding.flatMap(({ choice, supporter }) =>
        choice.kind === "grades" ? [{ grade: gradeOf(choice.grades, option), weight: supporter.weight }] : [],
      ),
    ),
  );
}

/** Adds up what is there. The result depends on the set of ballots only, never on their order. */
export function countCasts(round: Round, casts: Casts): Count {
  const { method, options } = round.proposal;
  const ids = options.map(({ id }) => id);
  const positions = new Map(ids.map((id, index) => [id, index]));
  const { deciding, ...sums } = readCasts(round, casts);
  const rankings = method === "ranked" ? readRankings(deciding, ids) : [];
  const gradings = method === "grades" ? readGradings(deciding, ids) : [];
  const leastGrades = gradings.map(supportingGrade);
  const supporters: Supporter[][] = options.map(() => []);
  for (const { choice, supporter } of deciding) {
    for (const option of supportedOptions(choice, ids, leastGrades))
      supporters[positions.get(option) ?? -1]?.push(supporter);
  }
  const support = supporters.map((list) => list.reduce((sum, { weight }) => sum + weight, 0));
  const decidingWeights = deciding.map(({ supporter }) => supporter.weight).sort((left, right) => left - right);
  return { ...sums, supporters, support, deciding: deciding.length, decidingWeights, rankings, gradings };
}

/** Whether an option wins by comparison with the others, and not by a threshold of support. */
export function isComparing(method: ProposalBody["method"]): boolean {
  return method === "ranked" || method === "grades";
}

/**
 * The share that makes a result binding: what an option needs, or, where options are compared and none needs support
 * by itself, the share of the electorate that has to take part in the comparison.
 */
export function bindingShare(rules: Pick<ProposalBody, "method" | "threshold" | "participation">): Threshold {
  return isComparing(rules.method) ? { ...rules.participation, of: "registered" } : rules.threshold;
}

/** The weights that the round's rules ask for; `cast` is the participating weight. */
export interface Requirement {
  readonly quorum: number;
  readonly participation: number;
}

/** What an option and the participation must reach when `cast` weight has taken part, out of `total`. */
export function requirementOf(round: Round, weights: { readonly cast: number; readonly total: number }): Requirement {
  const { participation } = round.proposal;
  const threshold = bindingShare(round.proposal);
  return {
    quorum: quorumOf(threshold, threshold.of === "cast" ? weights.cast : weights.total),
    participation: quorumOf(participation, weights.total),
  };
}
