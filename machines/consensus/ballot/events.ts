import type { AdmittedBallot, Refusal } from "./admission.ts";
import type { Round } from "./round.ts";

/** Why nothing can be expected from a member any more. */
export type AbsenceReason = "failed" | "refused" | "silent";

/** When to close: as soon as the outcome is fixed, or when every member has been heard or given up. */
export type ClosePolicy = "early" | "all";

/** What the collecting machine is told. Times are epoch milliseconds by the coordinator's monotonic clock. */
export type CollectEvent =
  | { readonly type: "round.open"; readonly round: Round; readonly close: ClosePolicy }
  /** Ballots that came in one message; all are counted before the close is considered. */
  | { readonly type: "ballots.received"; readonly at: number; readonly ballots: readonly AdmittedBallot[] }
  /** A signed commitment, in a round that takes them before ballots. */
  | { readonly type: "commit.received"; readonly at: number; readonly voter: string; readonly commitment: string }
  /** A message that admission dropped. */
  | { readonly type: "ballot.refused"; readonly row: Refusal }
  /** A member failed, or answered with nothing usable. */
  | { readonly type: "voter.lost"; readonly voter: string; readonly reason: AbsenceReason }
  | { readonly type: "time.expired"; readonly at: number }
  /** The coordinator's signature over the closing; null where the round needs none. */
  | { readonly type: "closing.signed"; readonly sig: string | null };
