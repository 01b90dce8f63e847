import type { Certificate } from "../../machines/consensus/certificate/certificate.ts";
import type { Evidence } from "../../machines/consensus/certificate/evidence.ts";
import type { CommitCertificate } from "../../machines/consensus/codec/commit-messages.ts";
import type {
  OutcomeStatus,
  SignedBallot,
  SignedClosing,
  SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import type { Electorate } from "../../machines/consensus/electorate/electorate.ts";
import type { Failure, Json, Outcome } from "../../machines/failure.ts";
import type { AgreementEvidence } from "./bft/evidence.ts";
import type { Concern } from "./opinion/opinion.ts";

/** What one voter did, with the text that came beside its ballot. */
export interface BallotRecord {
  readonly voter: string;
  readonly weight: number;
  readonly group: string | null;
  /** How it counts: "void" signed two different ballots, "late" came after the close. */
  readonly standing: "counts" | "abstains" | "low-confidence" | "void" | "late";
  /** The options it supports: chosen, ranked above another, or graded at least its majority grade; null abstains. Of a void voter, those of the ballot with the smaller digest. */
  readonly choice: readonly string[] | null;
  /** 0 to 1, or null where none was stated. */
  readonly confidence: number | null;
  /** What the voter would do itself; null where no text came or the text is not the one that the ballot binds. */
  readonly recommendation: string | null;
  readonly reasoning: string;
  readonly concerns: readonly Concern[];
  readonly ballot: SignedBallot;
}

/** A voter who did not want the outcome, or would rather have had another. */
export interface Dissent {
  readonly voter: string;
  readonly weight: number;
  /** "against": does not support the option. "prefers-other": supports it, but recommended another. "late": too late to count. */
  readonly kind: "against" | "prefers-other" | "late";
  readonly choice: readonly string[] | null;
  readonly recommendation: string | null;
  readonly reasoning: string;
}

/** A member from whom no valid ballot was counted. Absent is not abstaining: it does not take part at all. */
export interface Absence {
  readonly voter: string;
  readonly weight: number;
  /** "failed": its call failed. "refused": no ballot of it was valid. "silent": nothing by the closing time. "withheld": it committed to a ballot and never showed it. "not-needed": the outcome was fixed before it answered. */
  readonly reason: "failed" | "refused" | "silent" | "withheld" | "not-needed";
  readonly detail: string;
  readonly failure: Failure | null;
}

/** Another way that voters proposed. */
export interface Alternative {
  readonly id: string;
  readonly description: string;
  readonly endorsers: readonly string[];
  readonly weight: number;
  /** Whether more than the tolerated faulty weight stands behind it, so at least one honest voter does. */
  readonly isEndorsed: boolean;
}

export type WarningCode =
  | "decider"
  | "vetoer"
  | "group-over-cap"
  | "host-over-cap"
  | "threshold-of-cast"
  | "threshold-unused"
  | "two-may-pass"
  | "beyond-f-live"
  | "beyond-f-safe"
  | "text-unbound"
  | "unclosed"
  | "unsigned"
  | "journal-unwritten"
  | "disagreement";

/** Something the reader should know before trusting the outcome. */
export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
}

/** How one option did; `score` and `confidence` are 0 to 1 (a score may exceed 1 by the diversity bonus). */
export interface DecisionOptionTally {
  readonly option: string;
  readonly support: number;
  readonly passed: boolean;
  readonly score: number;
  readonly confidence: number | null;
  /** 0 to 100, the weighted lower median of its grades; null in other methods. */
  readonly majorityGrade: number | null;
  readonly groups: number;
  readonly voters: readonly string[];
}

/** The sums. All are weights, except `ballots`, which counts ballots that do more than abstain. */
export interface DecisionTally {
  readonly options: readonly DecisionOptionTally[];
  readonly leading: string | null;
  readonly quorum: number;
  readonly participationQuorum: number;
  readonly participating: number;
  readonly abstaining: number;
  readonly voided: number;
  readonly absent: number;
  readonly ballots: number;
}

/** What holds under which faults. */
export interface Assumptions {
  readonly W: number;
  readonly q: number;
  /** Faulty weight up to which no two quorums can stand behind different options. */
  readonly fSafe: number;
  /** Faulty weight up to which the others can still decide. */
  readonly fLive: number;
  readonly maxFaultyWeight: number;
  /** Weight seen to be faulty: it signed twice, failed, was refused, or stayed silent. */
  readonly faulty: number;
  readonly warnings: readonly Warning[];
}

export interface DecisionMetrics {
  /** From the opening to the signed result, in milliseconds. All figures are over all rounds. */
  readonly ms: number;
  readonly rounds: number;
  /** Invitations sent and answers received. */
  readonly messages: number;
  /** Canonical bytes of the ballot bodies that arrived. */
  readonly bytes: number;
  /** Signatures made and checked by the coordinator; the voters' own are theirs. */
  readonly signs: number;
  readonly verifies: number;
  /** Ballots recognised as already known, without a second look at the signature. */
  readonly memoHits: number;
}

/** A round that ended without a decision and was followed by another. */
export interface EarlierRound {
  readonly round: number;
  readonly status: Exclude<OutcomeStatus, "decided"> | LocalStatus;
  readonly leading: string | null;
  readonly proposal: SignedProposal;
  /** The coordinator's signed word that the round is over. */
  readonly closing: SignedClosing | null;
}

/** What carrying out a decision ended with. */
export type Execution =
  | { readonly status: "done"; readonly option: string; readonly outcome: Outcome<unknown> }
  /** Somebody began it already: what is known of that, for this execution did nothing. */
  | { readonly status: "begun-elsewhere"; readonly option: string; readonly record: Json };

interface Common {
  readonly decisionId: string;
  readonly round: number;
  /** The rounds before the one that is told here, oldest first. */
  readonly earlier: readonly EarlierRound[];
  /** What was asked, with the rules, signed by the coordinator. */
  readonly proposal: SignedProposal;
  readonly electorate: Electorate;
  readonly closing: SignedClosing | null;
  readonly tally: DecisionTally;
  /** 0 to 1: support of the leading option over the weight that the threshold counts. */
  readonly agreement: number;
  /** 0 to 1: weighted lower median of the leading option's supporters; null where they state none. */
  readonly confidence: number | null;
  /** Least weight whose change can flip or tie the outcome. */
  readonly marginOfVictory: number;
  /** Whether the margin is above the tolerated faulty weight. */
  readonly robust: boolean;
  readonly ballots: readonly BallotRecord[];
  readonly dissent: readonly Dissent[];
  readonly absent: readonly Absence[];
  /** Proofs that members signed against the rules: of ballots, and in mode bft of the agreement. */
  readonly evidence: readonly (Evidence | AgreementEvidence)[];
  readonly alternatives: readonly Alternative[];
  readonly assumptions: Assumptions;
  readonly metrics: DecisionMetrics;
  /** Absent unless it was asked to `execute`, an option was decided, and that option has a payload. */
  readonly execution?: Execution;
}

/** A tallied round, with or without proof: ballots from files may be unsigned, and then nothing is certified. */
export type TalliedRound = Common & {
  readonly status: OutcomeStatus | LocalStatus;
  readonly option: string | null;
  readonly certificate: Certificate | null;
};

/**
 * In mode bft, what only this process knows and nothing certifies: the members did not agree in time, and others may
 * still decide; or two of them hold certificates of different outcomes, which more than F_safe of faulty weight made.
 */
export type LocalStatus = "timeout" | "conflict";

/**
 * What a vote ended with. A split vote is a result, not an error: only broken contracts throw.
 * Shape: plain JSON. `decided` has the option's id and a certificate; the other states have no option, and say which
 * rule was missed: nobody reached the threshold, too few took part, or the winner's supporters were not sure enough.
 * Never read "timeout" as a rejection: the members may still decide.
 * Source: consensus design §8.
 */
export type Decision = Common &
  (
    | { readonly status: "decided"; readonly option: string; readonly certificate: Certificate }
    | {
        readonly status: "no-majority" | "no-quorum" | "low-confidence" | LocalStatus;
        readonly option: null;
        /** In mode bft members also certify that nothing is decided; "timeout" and "conflict" certify nothing. */
        readonly certificate: CommitCertificate | null;
      }
  );
