import type { Evidence } from "../certificate/evidence.ts";
import type { AcceptanceRow, AdmittedBallot } from "./admission.ts";
import type { Tally } from "./tally.ts";

/** A counted ballot is named by its digest; the closing binds the list of them. */
export interface ClosingDraft {
  readonly status: Tally["status"];
  readonly option: string | null;
  /** Digests of the counted ballots, in order of voter. */
  readonly ballots: readonly string[];
  readonly voided: readonly { readonly voter: string; readonly ballots: readonly [string, string] }[];
}

/** What the collecting machine asks its shell to do; performed after the transition, in order. */
export interface CollectEffects {
  /** Send `time.expired` back after this moment. */
  readonly scheduleClose: { readonly at: number };
  /** The commitments are in: ask those who committed for their ballots. */
  readonly askReveals: { readonly voters: readonly string[] };
  /** Tell listeners and the journal what became of a ballot. */
  readonly recordBallot: { readonly row: AcceptanceRow; readonly ballot: AdmittedBallot };
  readonly reportEvidence: { readonly evidence: Evidence };
  /** Sign the closing, unless the round needs none, and send `closing.signed` back. */
  readonly signClosing: { readonly draft: ClosingDraft };
  readonly announceResult: { readonly tally: Tally };
}

export type CollectEffectName = keyof CollectEffects;

/** One effect by name with its parameters. */
export type CollectEffect = {
  [Name in CollectEffectName]: { readonly type: Name; readonly params: CollectEffects[Name] };
}[CollectEffectName];
