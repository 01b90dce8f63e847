import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import type { BftState } from "../../../machines/consensus/bft/state.ts";
import type { Proposal, Statement, Vote } from "../../../machines/consensus/bft/statement.ts";
import { logOf } from "../../../machines/consensus/bft/vote-keeper.ts";
import type { DuplicateBallot } from "../../../machines/consensus/certificate/evidence.ts";
import type { AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import { sealMessage, type ReplicaMessage } from "./wire.ts";

/** Says a message to one member, or to all. */
type Say = (message: ReplicaMessage, to?: number) => void;

/**
 * Shows what one member signed twice to everybody, since others may have been shown one side only: once per member and
 * kind, so that a member which signs much cannot make the others say much.
 */
export class EvidenceRelay {
  readonly #contents: ReadonlyMap<string, AgreedValue>;
  readonly #say: Say;
  readonly #relayed = new Set<string>();

  /** `contents`: the values that can be shown, by digest. */
  constructor(contents: ReadonlyMap<string, AgreedValue>, say: Say) {
    this.#contents = contents;
    this.#say = say;
  }

  showBallots({ kind, voter, ballots }: DuplicateBallot): void {
    if (this.#isNew(`${kind} ${voter}`)) this.#say(sealMessage({ type: "ballots", ballots: [...ballots] }));
  }

  /** Votes and proposals that convict. */
  showStatements(evidence: BftEvidence): void {
    const { kind } = evidence;
    if (kind !== "DuplicateProposal" && kind !== "DuplicatePrevote" && kind !== "DuplicatePrecommit") return;
    if (!this.#isNew(`${kind} ${evidence.culprits[0]}`)) return;
    const statements: readonly Statement[] = evidence.statements;
    const votes = statements.filter((statement) => statement.kind !== "proposal");
    if (votes.length > 0) this.#say(sealMessage({ type: "transcript", votes }));
    for (const statement of statements) if (statement.kind === "proposal") this.#showProposal(statement);
  }

  /**
   * A vote for another value than the one proposed to this member: its voter may have been shown another proposal, and
   * is shown ours. It does the same, so that both hold what convicts the proposer. Once per voter and round.
   */
  compare(vote: Vote, { rounds, self }: BftState): void {
    if (vote.value === null || vote.voter === self) return;
    const proposals = logOf(rounds, vote.round)?.proposals ?? [];
    const [own] = proposals;
    if (own === undefined || proposals.length > 1 || own.value === vote.value) return;
    if (!this.#isNew(`shown ${vote.round} ${vote.voter}`)) return;
    this.#showProposal(own, vote.voter);
  }

  #showProposal(proposal: Proposal, to?: number): void {
    const content = this.#contents.get(proposal.value);
    if (content !== undefined) this.#say(sealMessage({ type: "proposal", proposal, polka: [], content }), to);
  }

  #isNew(name: string): boolean {
    const { size } = this.#relayed;
    return this.#relayed.add(name).size > size;
  }
}
