import {
  basisPoints,
  methods,
  preferences,
  type Method,
  type Preference,
  type ProposalBody,
} from "../../machines/consensus/codec/messages.ts";
import { bindingShare } from "../../machines/consensus/ballot/count.ts";
import type { ClosePolicy } from "../../machines/consensus/ballot/events.ts";
import type { Electorate } from "../../machines/consensus/electorate/electorate.ts";
import { totalWeightOf } from "../../machines/consensus/electorate/electorate.ts";
import { boundsOf, parseThreshold, type ThresholdInput } from "../../machines/consensus/electorate/threshold.ts";
import { TroupeError } from "../errors.ts";
import { requireParsed } from "./electorate.ts";

/** Default of the ballot phase, from the user's documents: five minutes. */
export const ballotTimeoutMs = 300_000;
/** Longest time for revealing ballots after the commitments are in; a reveal needs no thought. */
export const revealTimeoutMsMax = 10_000;
/** Longest ballot phase: a week. */
export const ballotTimeoutMsMax = 604_800_000;

/** Who may see ballots before the round is over. */
export const secrecies = ["open", "sealed", "commit-reveal"] as const;
export type Secrecy = (typeof secrecies)[number];

/** The rules of a vote. All of them are signed into the proposal, except the timeout, the close and the claim. */
export interface BallotPolicy {
  /** Default "single" for one or two options, "approval" for more. */
  readonly method?: Method;
  /** Which option wins when several reach the quorum: the best score (default), or the first listed ("bold"). */
  readonly prefer?: Preference;
  /** Share that an option needs; default ">2/3" of the registered weight. */
  readonly threshold?: ThresholdInput;
  /** Share of the registered weight that must vote or abstain; default ">2/3". */
  readonly participation?: ThresholdInput;
  /** Ballots that must do more than abstain; default 1. */
  readonly minBallots?: number;
  /** 0 to 1: a ballot below `floor` abstains (default 0), the winner's median must reach `gate` (default none), `weight` is how much confidence ranks (default 0.3). */
  readonly confidence?: { readonly floor?: number; readonly gate?: number | null; readonly weight?: number };
  /** `bonus` 0 to 1: what support from several groups adds to a score (default 0.1). `groupCap`: lowers the weights of groups at or above it. */
  readonly diversity?: { readonly bonus?: number; readonly groupCap?: ThresholdInput };
  /** The status quo: wins ties. */
  readonly defaultOption?: string;
  /** A claim, checked: the faulty weight you expect. Default: all that the bounds allow. */
  readonly maxFaultyWeight?: number;
  /** Length of the ballot phase in milliseconds, 1 to 604,800,000; default 300,000. */
  readonly timeoutMs?: number;
  /**
   * "sealed" (default): opinions and ballots are told to nobody before the round is over, and voters behind messages
   * encrypt theirs to the coordinator. "commit-reveal": voters commit first and reveal when a quorum has committed, so
   * that even the coordinator learns nothing early. "open": each ballot is told as it comes.
   */
  readonly secrecy?: Secrecy;
  /**
   * "early" (default) closes as soon as the outcome cannot change, counting what came in the same turn too; "all" waits
   * for every voter or the timeout.
   */
  readonly close?: ClosePolicy;
}

/** The part of a proposal that comes from the policy. */
export type ProposalRules = Pick<
  ProposalBody,
  "method" | "prefer" | "threshold" | "participation" | "minBallots" | "confidence" | "diversity" | "defaultOption"
>;

function refuse(field: string, problem: string): never {
  throw new TroupeError("usage/invalid-policy", `${field}: ${problem}`, { data: { field } });
}

function toShare(field: string, value: number): number {
  if (!(value >= 0 && value <= 1)) refuse(field, `${value} must be a number from 0 to 1`);
  return Math.round(value * basisPoints);
}

/** Reads the rules, with every default filled in. Errors: throws `usage/invalid-policy`. */
export function readRules(policy: BallotPolicy, optionCount: number): ProposalRules {
  const method = policy.method ?? (optionCount > 2 ? "approval" : "single");
  if (!methods.includes(method)) refuse("method", `${JSON.stringify(method)} must be one of ${methods.join(", ")}`);
  const prefer = policy.prefer ?? "score";
  if (!preferences.includes(prefer))
    refuse("prefer", `${JSON.stringify(prefer)} must be one of ${preferences.join(", ")}`);
  const participation = requireParsed("participation", parseThreshold(policy.participation ?? ">2/3"));
  if (participation.of !== "registered") refuse("participation", "counts registered weight only");
  const minBallots = policy.minBallots ?? 1;
  if (!Number.isInteger(minBallots) || minBallots < 1)
    refuse("minBallots", `${minBallots} must be a whole number from 1`);
  const { num, den, strict } = participation;
  const gate = policy.confidence?.gate ?? null;
  return {
    method,
    prefer,
    threshold: requireParsed("threshold", parseThreshold(policy.threshold ?? ">2/3")),
    participation: { den, num, strict },
    minBallots,
    confidence: {
      floor: toShare("confidence.floor", policy.confidence?.floor ?? 0),
      gate: gate === null ? null : toShare("confidence.gate", gate),
      weight: toShare("confidence.weight", policy.confidence?.weight ?? 0.3),
    },
    diversity: toShare("diversity.bonus", policy.diversity?.bonus ?? 0.1),
    defaultOption: policy.defaultOption ?? null,
  };
}

/** Reads the secrecy of ballots. */
export function readSecrecy(policy: BallotPolicy): Secrecy {
  const secrecy = policy.secrecy ?? "sealed";
  if (!secrecies.includes(secrecy))
    refuse("secrecy", `${JSON.stringify(secrecy)} must be one of ${secrecies.join(", ")}`);
  return secrecy;
}

/** When commitments, if there are any, and ballots are due, in epoch milliseconds. */
export function readDeadlines(policy: BallotPolicy, now: number): { closesAt: number; commitClosesAt?: number } {
  const timeoutMs = readTimeout(policy);
  if (readSecrecy(policy) !== "commit-reveal") return { closesAt: now + timeoutMs };
  const commitClosesAt = Math.ceil(now + timeoutMs);
  return { commitClosesAt, closesAt: commitClosesAt + Math.max(1, Math.min(timeoutMs, revealTimeoutMsMax)) };
}

/**
 * Whether a call that ends now has had all of its phase, whose end is rounded up to a millisecond. Its voter was silent
 * then: an agent's deadline is the end of the phase, and which of the two comes first says nothing about the agent.
 */
export function isPhaseOver(now: number, endsAt: number): boolean {
  return now + 1 >= endsAt;
}

/** Reads the length of the ballot phase. */
export function readTimeout(policy: BallotPolicy): number {
  const timeoutMs = policy.timeoutMs ?? ballotTimeoutMs;
  if (!(timeoutMs >= 1 && timeoutMs <= ballotTimeoutMsMax)) {
    refuse("timeoutMs", `${timeoutMs} must be from 1 to ${ballotTimeoutMsMax} milliseconds`);
  }
  return timeoutMs;
}

/**
 * Checks the claim about faults against what the threshold can stand: at most min(F_safe, F_live).
 * Without a claim, that bound itself is taken.
 */
export function readMaxFaultyWeight(policy: BallotPolicy, rules: ProposalRules, electorate: Electorate): number {
  const bounds = boundsOf(bindingShare(rules), totalWeightOf(electorate.members));
  const most = Math.max(0, Math.min(bounds.fSafe, bounds.fLive));
  const claim = policy.maxFaultyWeight ?? most;
  if (!Number.isInteger(claim) || claim < 0) refuse("maxFaultyWeight", `${claim} must be a whole number from 0`);
  if (claim > most) {
    refuse(
      "maxFaultyWeight",
      `${claim} is more than this electorate stands: W = ${bounds.W}, q = ${bounds.q}, F_safe = ${bounds.fSafe}, F_live = ${bounds.fLive}. Claim at most ${most}, or add voters`,
    );
  }
  return claim;
}
