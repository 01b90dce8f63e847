import type { ClosePolicy } from "../../../machines/consensus/ballot/events.ts";
import type { StepTimeouts } from "../../../machines/consensus/bft/council.ts";
import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import type { Commit } from "../../../machines/consensus/bft/statement.ts";
import type { DuplicateBallot } from "../../../machines/consensus/certificate/evidence.ts";
import type { AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Signer, Verify } from "../../ports/signer.ts";
import type { Showing } from "../../system/charted.ts";
import type { ReplicaPort } from "./port.ts";
import type { VoteStore } from "./vote-store.ts";

/** What a replica tells its owner. */
export interface ReplicaListener {
  onClosed(): void;
  onDecided(commit: Commit, value: AgreedValue): void;
  onEvidence(evidence: BftEvidence | DuplicateBallot): void;
  /** The store or the signer failed: the replica is silent from here on. */
  onSilent(reason: string): void;
}

/** What a replica is made of. Nothing here assumes one process. */
export interface ReplicaPorts {
  readonly clock: Clock;
  readonly signer: Signer;
  readonly verify: Verify;
  readonly port: ReplicaPort;
  readonly votes: VoteStore;
  readonly listener: ReplicaListener;
  readonly close?: ClosePolicy;
  readonly timeouts?: StepTimeouts;
  /** Where the chart of this replica is shown; left out, nowhere. */
  readonly showing?: Showing;
}
