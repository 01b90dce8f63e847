import type { Council } from "./council.ts";
import type { DurableState } from "./state.ts";
import type { Commit, Proposal, Vote } from "./statement.ts";

export type TimerKind = "propose" | "prevote" | "precommit" | "resend";

/** What is known of a value whose content the shell holds. */
export interface ValueJudgement {
  /** Whether it obeys the rules: the same at every member. */
  readonly isValid: boolean;
  /** Whether this member's own knowledge would not change its outcome: a local opinion. */
  readonly isAcceptable: boolean;
}

/**
 * What a member is told. Every statement has passed admission: its signature holds, its scope is this decision, its
 * proposer is the right one, and certificates are complete.
 */
export type BftEvent =
  | { readonly type: "council.joined"; readonly council: Council; readonly self: number }
  | { readonly type: "decision.started" }
  /** After a crash: what was durable. */
  | { readonly type: "decision.restored"; readonly durable: DurableState }
  /** The value asked for by `requestValue`, built by this member. */
  | { readonly type: "value.ready"; readonly round: number; readonly value: string }
  /** The content of a value became known. */
  | { readonly type: "value.learned"; readonly value: string; readonly judgement: ValueJudgement }
  | {
      readonly type: "proposal.received";
      readonly proposal: Proposal;
      readonly judgement: ValueJudgement;
      /** The prevotes of `validRound` that it leans on; empty where none came with it. */
      readonly polka: readonly Vote[];
    }
  | { readonly type: "vote.received"; readonly vote: Vote }
  /** Where another member stands, with the polka of its valid value and the votes that brought it into its round. */
  | {
      readonly type: "status.received";
      readonly from: number;
      readonly polka: readonly Vote[];
      readonly entry: readonly Vote[];
    }
  | { readonly type: "commit.received"; readonly commit: Commit; readonly judgement: ValueJudgement }
  /** Votes that somebody else heard, for accountability. */
  | { readonly type: "transcript.received"; readonly votes: readonly Vote[] }
  | { readonly type: "timer.expired"; readonly kind: TimerKind; readonly round: number };
