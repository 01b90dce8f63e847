import type { CollectState } from "../../machines/consensus/ballot/collect.ts";
import { standingOf, supportedOptions } from "../../machines/consensus/ballot/count.ts";
import type { Round } from "../../machines/consensus/ballot/round.ts";
import type { Tally } from "../../machines/consensus/ballot/tally.ts";
import { certify } from "../../machines/consensus/certificate/certificate.ts";
import {
  basisPoints,
  type Choice,
  type SignedBallot,
  type SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import type { Member } from "../../machines/consensus/electorate/electorate.ts";
import type { Collector, Delivery } from "./collector.ts";
import type {
  Absence,
  Alternative,
  BallotRecord,
  Decision,
  DecisionMetrics,
  DecisionTally,
  Dissent,
  EarlierRound,
  TalliedRound,
  Warning,
} from "./decision.ts";
import { opinion } from "./opinion/opinion.ts";
import { abstention } from "./proposal.ts";
import { bindReport, knownBinding, type Report, type ReportBinding } from "./opinion/binding.ts";
import { faultyWeightOf, warnOfElectorate, warnOfFaults } from "./warnings.ts";

/** What the assembling reads of a collector: a live one, or one that took its ballots from a file. */
export type Collected = Pick<Collector, "state" | "deliveries" | "metrics" | "closing" | "hasExpired">;

/** Everything a finished round leaves behind. */
export interface Finished {
  readonly round: Round;
  readonly proposal: SignedProposal;
  readonly collector: Collected;
  readonly maxFaultyWeight: number;
  readonly ms: number;
  /** Decisions of the rounds before, oldest first. */
  readonly before?: readonly Decision[];
}

const reportSchema = opinion.pick({ recommendation: true, reasoning: true, concerns: true, alternatives: true });

function toRatio(points: number | null): number | null {
  return points === null ? null : points / basisPoints;
}

/** A report in its form and with its digests, if it has one. */
function readBound(report: unknown): { readonly report: Report; readonly binding: ReportBinding } | undefined {
  const known = knownBinding(report);
  if (known !== undefined) return { report: report as Report, binding: known };
  const parsed = reportSchema.safeParse(report);
  const binding = parsed.success ? bindReport(parsed.data) : undefined;
  return parsed.success && binding?.ok === true ? { report: parsed.data, binding: binding.value } : undefined;
}

/** The text beside a ballot, if it is the text that the ballot binds. */
function readReport(delivery: Delivery | undefined, ballot: SignedBallot): Report | undefined {
  const bound = delivery?.report === undefined ? undefined : readBound(delivery.report);
  if (bound === undefined) return undefined;
  const { reasoningDigest, alternativesDigest } = ballot.body;
  const isBound =
    bound.binding.reasoningDigest === reasoningDigest && bound.binding.alternativesDigest === alternativesDigest;
  return isBound ? bound.report : undefined;
}

interface Heard {
  readonly member: Member;
  readonly ballot: SignedBallot;
  readonly standing: BallotRecord["standing"];
  readonly report: Report | undefined;
}

function hear(finished: Finished, state: CollectState): Heard[] {
  const { round, collector } = finished;
  return round.electorate.members.flatMap((member, index) => {
    const cast = state.casts[index] ?? null;
    const late = state.late[index] ?? null;
    const ballot = cast?.ballot ?? late;
    if (ballot === null) return [];
    const standing = cast === null ? "late" : standingOf(cast, round);
    const { body, sig } = ballot;
    return [
      { member, ballot: { body, sig }, standing, report: readReport(collector.deliveries.get(member.id), ballot) },
    ];
  });
}

function recordBallots(heard: readonly Heard[], tally: Tally): BallotRecord[] {
  const options = tally.options.map(({ option }) => option);
  const leastGrades = tally.options.map(({ majorityGrade }) => Math.max(1, majorityGrade ?? 0));
  return heard.map(({ member, ballot, standing, report }) => {
    const { choice, confidence } = ballot.body;
    return {
      voter: member.id,
      weight: member.weight,
      group: member.group ?? null,
      standing,
      choice: choice.kind === "abstain" ? null : supportedOptions(choice, options, leastGrades),
      confidence: toRatio(confidence),
      recommendation: recommendationOf(choice, report),
      reasoning: report?.reasoning ?? "",
      concerns: report?.concerns ?? [],
      ballot,
    };
  });
}

/** Who chose and recommends nothing, as a plain ballot does, prefers nothing else. */
function recommendationOf(choice: Choice, report: Report | undefined): string | null {
  if (report === undefined || (report.recommendation === abstention && choice.kind !== "abstain")) return null;
  return report.recommendation;
}

function listDissent(records: readonly BallotRecord[], option: string | null): Dissent[] {
  if (option === null) return [];
  return records.flatMap((record): Dissent[] => {
    const { voter, weight, choice, recommendation, reasoning, standing } = record;
    const isFor = choice?.includes(option) ?? false;
    const about = { voter, weight, choice, recommendation, reasoning };
    if (standing === "late") return isFor ? [] : [{ ...about, kind: "late" }];
    if (standing !== "counts") return [];
    if (!isFor) return [{ ...about, kind: "against" }];
    const isElse = recommendation !== null && recommendation !== option;
    return isElse ? [{ ...about, kind: "prefers-other" }] : [];
  });
}

function describeAbsence(member: Member, delivery: Delivery | undefined, reason: Absence["reason"]): Absence {
  const failure = delivery?.failure ?? null;
  const dropped = delivery?.dropped;
  const details = {
    failed: failure?.message ?? "its call failed",
    refused: dropped === undefined ? "it sent no ballot of its own" : `${dropped.row}: ${dropped.detail}`,
    silent: "nothing valid came by the closing time",
    withheld: `it committed to a ballot and did not show it${dropped === undefined ? "" : ` (${dropped.row}: ${dropped.detail})`}`,
    "not-needed": "the outcome was fixed before it answered",
  };
  return {
    voter: member.id,
    weight: member.weight,
    reason,
    detail: details[reason],
    failure: reason === "failed" ? failure : null,
  };
}

function listAbsent(finished: Finished, state: CollectState): Absence[] {
  const { round, collector } = finished;
  return round.electorate.members.flatMap((member, index) => {
    if ((state.casts[index] ?? null) !== null) return [];
    const unheard = collector.hasExpired ? "silent" : "not-needed";
    const reason = state.lost[index] ?? unheard;
    const isWithheld = (state.commits[index] ?? null) !== null && reason !== "not-needed" && reason !== "failed";
    return [describeAbsence(member, collector.deliveries.get(member.id), isWithheld ? "withheld" : reason)];
  });
}

/** An alternative is its id and its words together: nobody can put other words under an id that many endorse. */
function listAlternatives(heard: readonly Heard[], maxFaultyWeight: number): Alternative[] {
  const found = new Map<string, { id: string; description: string; endorsers: string[]; weight: number }>();
  for (const { member, report, standing } of heard) {
    if (report === undefined || report.alternatives.length === 0 || standing === "void" || standing === "late")
      continue;
    // A voter endorses an alternative once, however often it lists it.
    const own = new Map(report.alternatives.map((each) => [JSON.stringify([each.id, each.description]), each]));
    for (const [key, { id, description }] of own) {
      const entry = found.get(key) ?? { id, description, endorsers: [], weight: 0 };
      entry.endorsers.push(member.id);
      entry.weight += member.weight;
      found.set(key, entry);
    }
  }
  const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  return [...found.values()]
    .map((entry) => ({ ...entry, isEndorsed: entry.weight > maxFaultyWeight }))
    .sort(
      (left, right) =>
        right.weight - left.weight || compare(left.id, right.id) || compare(left.description, right.description),
    );
}

function showTally(tally: Tally): DecisionTally {
  const { leading, quorum, participationQuorum, participating, abstaining, voided, absent, ballots } = tally;
  const options = tally.options.map((option) => ({
    ...option,
    score: option.score / basisPoints,
    confidence: toRatio(option.confidence),
  }));
  return { options, leading, quorum, participationQuorum, participating, abstaining, voided, absent, ballots };
}

function warnOfText(heard: readonly Heard[], collector: Collected): Warning[] {
  const unbound = heard.filter(({ member, report, standing }) => {
    const delivery = collector.deliveries.get(member.id);
    return standing !== "void" && report === undefined && delivery?.report !== undefined;
  });
  if (unbound.length === 0) return [];
  const names = unbound.map(({ member }) => member.id).join(", ");
  return [
    {
      code: "text-unbound",
      message: `The text that came with these ballots is not the one they sign, so it is left out: ${names}.`,
    },
  ];
}

function nameEarlier({ round, status, tally, proposal, closing }: Decision): EarlierRound[] {
  return status === "decided" ? [] : [{ round, status, leading: tally.leading, proposal, closing }];
}

function sumMetrics({ round, collector, ms, before = [] }: Finished): DecisionMetrics {
  const { messages, ...counts } = collector.metrics;
  const own = { ms, rounds: 1, messages: messages + round.electorate.members.length, ...counts };
  // Each round's metrics hold those of the rounds before it.
  const past = before.at(-1)?.metrics;
  if (past === undefined) return own;
  const { bytes, signs, verifies, memoHits } = own;
  return {
    ms,
    rounds: past.rounds + 1,
    messages: past.messages + own.messages,
    bytes: past.bytes + bytes,
    signs: past.signs + signs,
    verifies: past.verifies + verifies,
    memoHits: past.memoHits + memoHits,
  };
}

/** Builds everything but the proof from a round that has been tallied. */
export function assembleRound(finished: Finished): TalliedRound {
  const { round, proposal, collector, maxFaultyWeight, before = [] } = finished;
  const { state } = collector;
  const { tally } = state;
  if (tally === null) throw new Error("a decision is assembled only after the tally");
  const heard = hear(finished, state);
  const ballots = recordBallots(heard, tally);
  const absent = listAbsent(finished, state);
  const faulty = faultyWeightOf(state, absent);
  const warnings = [...warnOfElectorate(round), ...warnOfFaults(state, faulty), ...warnOfText(heard, collector)];
  return {
    status: tally.status,
    option: tally.option,
    certificate: null,
    decisionId: round.proposal.decisionId,
    round: round.proposal.round,
    earlier: before.flatMap(nameEarlier),
    proposal,
    electorate: round.electorate,
    closing: collector.closing,
    tally: showTally(tally),
    agreement: tally.agreement.num / tally.agreement.den,
    confidence: toRatio(tally.confidence),
    marginOfVictory: tally.marginOfVictory,
    robust: tally.marginOfVictory > maxFaultyWeight,
    ballots,
    dissent: listDissent(ballots, tally.option),
    absent,
    evidence: [...(before.at(-1)?.evidence ?? []), ...state.evidence],
    alternatives: listAlternatives(heard, maxFaultyWeight),
    assumptions: { W: tally.W, q: tally.q, fSafe: tally.fSafe, fLive: tally.fLive, maxFaultyWeight, faulty, warnings },
    metrics: sumMetrics(finished),
  };
}

/** Builds the decision from a round whose result is signed. */
export function assembleDecision(finished: Finished): Decision {
  const { status, option, certificate: _, ...common } = assembleRound(finished);
  if (status !== "decided" || option === null) {
    if (status === "decided") throw new Error("a decided round always names an option");
    return { status, option: null, certificate: null, ...common };
  }
  const { proposal, collector } = finished;
  const certificate = certify(collector.state, { proposal, closing: collector.closing });
  if (certificate === undefined) throw new Error("a decided round always has a certificate");
  return { status, option: certificate.option, certificate, ...common };
}
