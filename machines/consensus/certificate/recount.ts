import type { Choice, OutcomeStatus, ProposalBody } from "../codec/messages.ts";
import type { Electorate, Member } from "../electorate/electorate.ts";
import { quorumOf } from "../electorate/threshold.ts";
import { majorityGrade, ranksUp, winnersOfGrades, winnersOfRanking } from "./recount-comparison.ts";

/** One verified ballot as the verifier reads it. */
export interface Voice {
  readonly member: Member;
  readonly choice: Choice;
  readonly confidence: number | null;
}

interface Standing {
  readonly option: string;
  readonly position: number;
  readonly backers: readonly Voice[];
}

function weigh(voices: readonly Voice[]): number {
  let weight = 0;
  for (const voice of voices) weight += voice.member.weight;
  return weight;
}

/** The score of §3.6 without its constant factor 1/(W·10^8), as numerator and denominator; never rounded. */
function scoreTerms(standing: Standing, proposal: ProposalBody, groups: bigint): readonly [bigint, bigint] {
  const whole = 10_000n;
  const lambda = BigInt(proposal.confidence.weight);
  let sum = 0n;
  for (const { member, confidence } of standing.backers) {
    sum += BigInt(member.weight) * (whole * (whole - lambda) + lambda * BigInt(confidence ?? 0));
  }
  const support = BigInt(weigh(standing.backers));
  if (groups === 1n || support === 0n) return [sum, 1n];
  // Gini-Simpson: the chance that two draws by weight come from different groups, over ordered pairs.
  const byGroup = new Map<string, bigint>();
  for (const { member } of standing.backers) {
    byGroup.set(member.group ?? "", (byGroup.get(member.group ?? "") ?? 0n) + BigInt(member.weight));
  }
  let pairs = 0n;
  for (const weight of byGroup.values()) pairs += weight * (support - weight);
  const scale = support * (groups - 1n);
  return [sum * scale + BigInt(proposal.diversity) * whole * pairs * groups, scale];
}

/** Whether a ballot does more than abstain: one below the confidence floor does not. */
function isHeard(voice: Voice, proposal: ProposalBody): boolean {
  if (voice.choice.kind === "abstain") return false;
  return voice.confidence === null || voice.confidence >= proposal.confidence.floor;
}

/** Whether more than half of the backing weight states the gate or more. */
function passesGate(backers: readonly Voice[], gate: number | null): boolean {
  if (gate === null) return true;
  const sure = backers.filter(({ confidence }) => confidence !== null && confidence >= gate);
  return 2 * weigh(sure) > weigh(backers);
}

/** Puts the winner of two options first, by the steps of §3.5. */
function chooseBetween(
  left: Standing,
  right: Standing,
  rules: { proposal: ProposalBody; groups: bigint; tieKey: (option: string) => string },
): Standing {
  const { proposal, groups, tieKey } = rules;
  if (proposal.prefer === "bold") return left.position < right.position ? left : right;
  const [leftTop, leftBottom] = scoreTerms(left, proposal, groups);
  const [rightTop, rightBottom] = scoreTerms(right, proposal, groups);
  if (leftTop * rightBottom !== rightTop * leftBottom)
    return leftTop * rightBottom > rightTop * leftBottom ? left : right;
  const leftGroups = new Set(left.backers.map(({ member }) => member.group ?? "")).size;
  const rightGroups = new Set(right.backers.map(({ member }) => member.group ?? "")).size;
  if (leftGroups !== rightGroups) return leftGroups > rightGroups ? left : right;
  if (left.option === proposal.defaultOption) return left;
  if (right.option === proposal.defaultOption) return right;
  return tieKey(left.option) < tieKey(right.option) ? left : right;
}

/** Whether a ballot stands behind an option; by grades, when it gives at least what the majority gives. */
function backs(voice: Voice, option: string, rules: { proposal: ProposalBody; bar: number }): boolean {
  const { choice } = voice;
  const options = rules.proposal.options.map(({ id }) => id);
  switch (choice.kind) {
    case "abstain":
      return false;
    case "single":
      return choice.option === option;
    case "approval":
      return choice.options.includes(option);
    case "ranked":
      return ranksUp(choice.order, option, options);
    case "grades":
      return Object.entries(choice.grades).some(([id, grade]) => id === option && grade >= rules.bar);
  }
}

/** Everybody behind an option, among the ballots that do more than abstain. */
function backersOf(heard: readonly Voice[], option: string, proposal: ProposalBody): Voice[] {
  const bar = proposal.method === "grades" ? Math.max(1, majorityGrade(heard, option)) : 0;
  return heard.filter((voice) => backs(voice, option, { proposal, bar }));
}

/** The options that may win: those with the support they need, or those that win the comparison. */
function findContenders(standings: readonly Standing[], heard: readonly Voice[], rules: Rules): readonly Standing[] {
  const { proposal, present, registered } = rules;
  const options = standings.map(({ option }) => option);
  if (proposal.method === "ranked") {
    const winners = winnersOfRanking(options, heard);
    return standings.filter(({ option, backers }) => winners.includes(option) && backers.length > 0);
  }
  if (proposal.method === "grades") {
    const winners = winnersOfGrades(options, heard);
    return standings.filter(({ option }) => winners.includes(option));
  }
  const needed = quorumOf(proposal.threshold, proposal.threshold.of === "cast" ? present : registered);
  return standings.filter(({ backers }) => weigh(backers) >= needed);
}

interface Rules {
  readonly proposal: ProposalBody;
  readonly present: number;
  readonly registered: number;
}

/** The option that the ballots decide with everybody who stands behind it, or the rule that was missed. */
export type Result =
  | { readonly status: "decided"; readonly option: string; readonly backers: readonly Voice[] }
  | { readonly status: Exclude<OutcomeStatus, "decided"> };

/**
 * The verifier's own tally: what the ballots decide, or why they decide nothing. Written from the rules, not from the tally; a
 * property test holds the two together.
 */
export function recount(
  proposal: ProposalBody,
  electorate: Electorate,
  reading: { readonly voices: readonly Voice[]; readonly tieKey: (option: string) => string },
): Result {
  const registered = electorate.members.reduce((sum, { weight }) => sum + weight, 0);
  const present = weigh(reading.voices);
  if (present < quorumOf(proposal.participation, registered)) return { status: "no-quorum" };
  const heard = reading.voices.filter((voice) => isHeard(voice, proposal));
  if (heard.length < proposal.minBallots) return { status: "no-quorum" };
  const groups = BigInt(new Set(electorate.members.map(({ group }) => group ?? "")).size);
  const standings = proposal.options.map(({ id: option }, position): Standing => ({
    option,
    position,
    backers: backersOf(heard, option, proposal),
  }));
  let best: Standing | undefined;
  for (const standing of findContenders(standings, heard, { proposal, present, registered })) {
    best = best === undefined ? standing : chooseBetween(best, standing, { proposal, groups, tieKey: reading.tieKey });
  }
  if (best === undefined) return { status: "no-majority" };
  if (!passesGate(best.backers, proposal.confidence.gate)) return { status: "low-confidence" };
  return { status: "decided", option: best.option, backers: best.backers };
}
