import { durableOf, polkaBehind, type BftState } from "../../../machines/consensus/bft/state.ts";
import type { Proposal, Statement, Unsigned, Vote } from "../../../machines/consensus/bft/statement.ts";
import type { AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import type { Signer } from "../../ports/signer.ts";
import { signStatement } from "./statement-signing.ts";
import { contentsOf, type SignedRecord, type VoteStore } from "./vote-store.ts";
import { sealMessage, type ReplicaMessage } from "./wire.ts";

/** What signing needs of its replica. */
interface SignatoryPorts {
  readonly signer: Signer;
  readonly votes: VoteStore;
  /** The values that the replica holds, by digest. */
  readonly contents: Map<string, AgreedValue>;
  /** Marks a statement as checked. */
  readonly trust: (statement: Statement) => void;
}

/** What one member signs in one decision: made once, durable before anybody sees it, and kept to be said again. */
export class Signatory {
  signs = 0;
  readonly #ports: SignatoryPorts;
  readonly #stored = new Set<string>();
  readonly #signed = new Map<number, ReplicaMessage[]>();

  constructor(ports: SignatoryPorts) {
    this.#ports = ports;
  }

  /** Everything signed in a round, as it was sent. */
  messagesOf(round: number): readonly ReplicaMessage[] {
    return this.#signed.get(round) ?? [];
  }

  /** Takes up what was signed before a crash. */
  remember(records: readonly SignedRecord[]): void {
    const { contents, trust } = this.#ports;
    for (const [digest, content] of contentsOf(records)) {
      contents.set(digest, content);
      this.#stored.add(digest);
    }
    for (const { statement, polka } of records) {
      trust(statement);
      if (statement.kind !== "proposal") {
        this.#keep(statement.round, { type: "vote", vote: statement });
        continue;
      }
      const content = contents.get(statement.value);
      if (content !== undefined) this.#keep(statement.round, { type: "proposal", proposal: statement, polka, content });
    }
  }

  /** Signs a vote. Undefined where the store did not keep it: then nobody may see it. */
  async vote(unsigned: Unsigned<Vote>, state: BftState): Promise<ReplicaMessage | undefined> {
    const vote = await this.#sign<Vote>(unsigned);
    const message = this.#keep(vote.round, { type: "vote", vote });
    return (await this.#write(vote, [...polkaBehind(state, vote)], state)) ? message : undefined;
  }

  /** Signs a proposal of a value that the replica holds. */
  async propose(
    unsigned: Unsigned<Proposal>,
    given: { readonly content: AgreedValue; readonly polka: readonly Vote[] },
    state: BftState,
  ): Promise<ReplicaMessage | undefined> {
    const proposal = await this.#sign<Proposal>(unsigned);
    const polka = [...given.polka];
    const message = this.#keep(proposal.round, { type: "proposal", proposal, polka, content: given.content });
    return (await this.#write(proposal, polka, state)) ? message : undefined;
  }

  #keep(round: number, message: ReplicaMessage): ReplicaMessage {
    const sealed = sealMessage(message);
    this.#signed.set(round, [...this.messagesOf(round), sealed]);
    return sealed;
  }

  async #sign<Signed extends Statement>(statement: Unsigned<Signed>): Promise<Signed> {
    this.signs += 1;
    const signed = await signStatement<Signed>(statement, this.#ports.signer);
    this.#ports.trust(signed);
    return signed;
  }

  /** The vote store's append: complete before anything is sent. */
  async #write(statement: Vote | Proposal, polka: Vote[], state: BftState): Promise<boolean> {
    const { value } = statement;
    const own = this.messagesOf(state.round).flatMap((each) => (each.type === "vote" ? [each.vote] : []));
    const content = value === null || this.#stored.has(value) ? null : (this.#ports.contents.get(value) ?? null);
    const durable = durableOf(state, own);
    const isWritten = await this.#ports.votes.append({ type: "signed", statement, polka, content, durable });
    if (isWritten && content !== null && value !== null) this.#stored.add(value);
    return isWritten;
  }
}
