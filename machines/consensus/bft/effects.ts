import type { BftEvidence } from "./evidence.ts";
import type { TimerKind } from "./events.ts";
import type { Commit, Vote, VoteKind } from "./statement.ts";

/** What a member asks its shell to do; performed after the transition, in order. */
export interface BftEffects {
  /** Make it durable, sign it, hand it to this member and send it to everybody. */
  readonly castVote: {
    readonly kind: VoteKind;
    readonly round: number;
    readonly value: string | null;
    readonly validRound: number;
  };
  readonly propose: {
    readonly round: number;
    readonly value: string;
    readonly validRound: number;
    readonly polka: readonly Vote[];
  };
  /** Tell everybody where this member stands, with the polka of its valid value and why it is in this round. */
  readonly sendStatus: { readonly round: number; readonly polka: readonly Vote[]; readonly entry: readonly Vote[] };
  /** Send everything signed in this round once more; nothing is signed again. */
  readonly resend: { readonly round: number };
  readonly setTimer: { readonly kind: TimerKind; readonly round: number; readonly ms: number };
  /** Build a value and send `value.ready` back. */
  readonly requestValue: { readonly round: number };
  /** Ask the others for the content of a certified value. */
  readonly fetchValue: { readonly value: string };
  /** The decision: tell the caller, and everybody else with the value. */
  readonly decide: { readonly commit: Commit };
  /** A member that is behind: send it the decision. */
  readonly answerLaggard: { readonly to: number; readonly commit: Commit };
  readonly reportEvidence: { readonly evidence: BftEvidence };
}

export type BftEffectName = keyof BftEffects;

/** One effect by name with its parameters. */
export type BftEffect = {
  [Name in BftEffectName]: { readonly type: Name; readonly params: BftEffects[Name] };
}[BftEffectName];
