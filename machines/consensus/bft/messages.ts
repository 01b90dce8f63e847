import type { Commit, ProposalClaim, Vote } from "./statement.ts";

/**
 * What members send each other. Contents of values travel beside proposals and commits in the shell; statements name
 * them by digest.
 */
export type BftMessage =
  | { readonly type: "proposal"; readonly proposal: ProposalClaim; readonly polka: readonly Vote[] }
  | { readonly type: "vote"; readonly vote: Vote }
  | {
      readonly type: "status";
      readonly from: number;
      readonly round: number;
      readonly polka: readonly Vote[];
      readonly entry: readonly Vote[];
    }
  | { readonly type: "commit"; readonly commit: Commit }
  | { readonly type: "fetch"; readonly from: number; readonly value: string }
  | { readonly type: "value"; readonly value: string }
  | { readonly type: "transcript"; readonly votes: readonly Vote[] };
