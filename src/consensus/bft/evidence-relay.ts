import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import type { DuplicateBallot } from "../../../machines/consensus/certificate/evidence.ts";
import { sealMessage, type ReplicaMessage } from "./wire.ts";

/**
 * Shows what one member signed twice to everybody, since others may have been shown one side only: once per member and
 * kind, so that a member which signs much cannot make the others say much.
 */
export class EvidenceRelay {
  readonly #broadcast: (message: ReplicaMessage) => void;
  readonly #relayed = new Set<string>();

  constructor(broadcast: (message: ReplicaMessage) => void) {
    this.#broadcast = broadcast;
  }

  showBallots({ kind, voter, ballots }: DuplicateBallot): void {
    if (this.#isNew(`${kind} ${voter}`)) this.#broadcast(sealMessage({ type: "ballots", ballots: [...ballots] }));
  }

  /** Votes only: proposals carry whole values, and two of them convict where both are heard. */
  showVotes(evidence: BftEvidence): void {
    if (evidence.kind !== "DuplicatePrevote" && evidence.kind !== "DuplicatePrecommit") return;
    if (!this.#isNew(`${evidence.kind} ${evidence.culprits[0]}`)) return;
    const votes = evidence.statements.filter((statement) => statement.kind !== "proposal");
    this.#broadcast(sealMessage({ type: "transcript", votes }));
  }

  #isNew(name: string): boolean {
    const { size } = this.#relayed;
    return this.#relayed.add(name).size > size;
  }
}
