import type { Round } from "../../../machines/consensus/ballot/round.ts";
import { accuseCoordinator } from "../../../machines/consensus/certificate/evidence.ts";
import { canonicalize } from "../../../machines/consensus/codec/canonical-json.ts";
import {
  signedBallotSchema,
  signedReceiptSchema,
  type SignedProposal,
  type SignedReceipt,
} from "../../../machines/consensus/codec/messages.ts";
import { publicKeyBytes } from "../../../machines/consensus/codec/public-key.ts";
import { digestOf, isSignedBy } from "../../../machines/consensus/codec/sign-bytes.ts";
import { failure, type Failure, type Json, type Outcome } from "../../../machines/failure.ts";
import { systemClock, type Clock } from "../../ports/clock.ts";
import type { Verify } from "../../ports/signer.ts";
import type { Store } from "../../ports/store.ts";
import { MemoryStore } from "../../store/memory.ts";
import type { DistantReplica } from "../elsewhere/distant.ts";
import { Seats } from "../elsewhere/seats.ts";
import type { WayPorts } from "../elsewhere/ways.ts";
import { bindingDigest } from "../opinion/binding.ts";
import { ballotLog, keepVote, recallVote } from "./kept-vote.ts";
import { sha256, verifyEd25519 } from "../ed25519.ts";
import type { DecisionQuestion } from "../opinion/opinion.ts";
import { openProposal } from "../proposal.ts";
import { findSuccessionFault } from "../rounds/next-round.ts";
import { commitToVote, findEarlyReveal, type SecretVote } from "../secrecy/secret-vote.ts";
import { sealAnswer } from "../secrecy/sealed-vote.ts";
import { castVote, type Invitation, type Participant, type Vote, type Voter } from "../voter.ts";

/** Says why a voter must not answer an invitation, or gives the round it is for. */
function acceptInvitation(
  invitation: Invitation,
  voter: Voter,
  verify: Verify,
): { round: Round } | { refusal: Failure } {
  const refuse = (problem: string): { refusal: Failure } => ({
    refusal: failure("consensus/bad-proposal", `${voter.member.id} does not vote: ${problem}`),
  });
  const opened = openProposal(invitation.proposal, invitation.electorate, verify);
  if (!opened.ok) return refuse(opened.problem);
  const { round } = opened.value;
  const body = round.proposal;
  const succession = findSuccessionFault(round, invitation.previous, verify);
  if (succession !== undefined) return refuse(succession);
  const { question } = invitation;
  const shown = canonicalize([question.options, question.context, question.constraints]);
  if (!shown.ok) return refuse(`the question has no canonical form: ${shown.fault.problem}`);
  const isSame =
    question.decisionId === body.decisionId &&
    question.description === body.question &&
    bindingDigest("context", { context: question.context, constraints: question.constraints }) === body.contextDigest &&
    question.options.length === body.options.length &&
    question.options.every((option, index) => bindingDigest("option", option) === body.options[index]?.digest);
  if (!isSame) return refuse("the question shown is not the one that the proposal signs");
  const own = round.electorate.members.find(({ id }) => id === voter.member.id);
  if (own?.publicKey !== Buffer.from(voter.signer.publicKey).toString("hex"))
    return refuse("it is not in the electorate with its own key");
  return { round };
}

/** Most rounds that one participant remembers; the oldest is forgotten first. */
export const rememberedRoundsMax = 1_024;

function ballotDigestOf(ballot: unknown): string | undefined {
  const parsed = signedBallotSchema.safeParse(ballot);
  return parsed.success ? digestOf(parsed.data.body, sha256) : undefined;
}

/** One round as one participant answers it: once, however often it is asked. */
class Answer {
  readonly proposal: SignedProposal;
  readonly vote: Promise<Outcome<Vote>>;
  /** In rounds that begin with commitments. */
  secret: Promise<Outcome<SecretVote<Vote>>> | undefined;
  readonly #abandoned = new AbortController();
  #waiting = 0;
  /** The opinion is there: what is signed now is the answer for ever, whether anybody waits for it or not. */
  #isSettled = false;

  readonly #clock: Clock;
  #memory: Pick<Store, "append" | "read"> | undefined;
  #ballots: readonly unknown[] = [];

  /** `before` is an answer that was given up: its replica may have signed something all the same. */
  constructor(
    voter: Voter,
    round: Round,
    given: { readonly invitation: Invitation; readonly before: Answer | undefined } & ParticipantPorts,
  ) {
    const { invitation, before, store, clock = systemClock } = given;
    this.proposal = invitation.proposal;
    this.#clock = clock;
    this.#memory = store ?? (before === undefined ? undefined : before.#memory);
    this.vote = this.#form(voter, { round, question: invitation.question, store });
    // Whoever waits for it hears of a crash; where nobody does, it concerns nobody.
    this.vote.catch(() => {});
  }

  /** Nobody waited for it any more before it was signed. Nothing was, nor will be. */
  get isAbandoned(): boolean {
    return this.#abandoned.signal.aborted;
  }

  /** Where its replica keeps what it signs in mode bft: in the voter's store, or as long as this answer. */
  get memory(): Pick<Store, "append" | "read"> {
    return (this.#memory ??= new MemoryStore(this.#clock));
  }

  /** Whether a ballot of this digest is among those that it gave. */
  gave(digest: string): boolean {
    return this.#ballots.some((ballot) => ballotDigestOf(ballot) === digest);
  }

  /** Somebody waits for the answer until the signal aborts. */
  wait(signal: AbortSignal): void {
    this.#waiting += 1;
    const leave = (): void => {
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#isSettled) this.#abandoned.abort(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  }

  async #form(
    voter: Voter,
    given: { readonly round: Round; readonly question: DecisionQuestion; readonly store: ParticipantPorts["store"] },
  ): Promise<Outcome<Vote>> {
    const { round, question, store } = given;
    const { signal } = this.#abandoned;
    const log = ballotLog(round.proposalDigest, voter.member.id);
    const before = store === undefined ? undefined : await recallVote(store, log);
    if (before !== undefined) {
      this.#isSettled = true;
      return this.#give(before);
    }
    const settle = (): Failure | undefined => {
      this.#isSettled = !signal.aborted;
      return this.#isSettled ? undefined : failure("call/cancelled", `nobody waits for the vote of ${voter.member.id}`);
    };
    const cast = await castVote(voter, round, { question, signal, refuse: settle });
    if (!cast.ok) {
      const cancelled = settle();
      return cancelled === undefined ? cast : { ok: false, failure: cancelled };
    }
    return this.#give(store === undefined ? cast.value : await keepVote(store, log, cast.value));
  }

  #give(vote: Vote): Outcome<Vote> {
    this.#ballots = vote.ballots;
    return { ok: true, value: vote };
  }
}

function refusal(voter: Voter, problem: string, data: { readonly [key: string]: Json } = {}): Outcome<never> {
  const message = `${voter.member.id} does not vote: ${problem}`;
  return { ok: false, failure: failure("consensus/bad-proposal", message, data) };
}

async function makeSecret(
  answer: Promise<Outcome<Vote>>,
  round: Round,
  voter: Voter,
): Promise<Outcome<SecretVote<Vote>>> {
  const vote = await answer;
  if (!vote.ok) return vote;
  return { ok: true, value: await commitToVote(vote.value, round, { voter: voter.member.id, signer: voter.signer }) };
}

/** What a voter's side is run on; each has a default. */
export interface ParticipantPorts extends Partial<WayPorts> {
  /** Keeps ballots and votes over a fall of this process. Without it they last as long as the process. */
  readonly store?: Pick<Store, "append" | "read">;
  readonly clock?: Clock;
}

/** One voter's memory of what it was asked and what it answered. */
class Ledger {
  readonly #voter: Voter;
  readonly #verify: Verify;
  readonly #ports: ParticipantPorts;
  readonly #answers = new Map<string, Answer>();

  constructor(voter: Voter, verify: Verify, ports: ParticipantPorts) {
    this.#voter = voter;
    this.#verify = verify;
    this.#ports = ports;
  }

  /** The answer to an invitation: a new one, the one given before, or a refusal. */
  answer(
    invitation: Invitation,
    signal: AbortSignal,
  ): { readonly round: Round; readonly answer: Answer } | Outcome<never> {
    const voter = this.#voter;
    const accepted = this.#accept(invitation);
    if ("refusal" in accepted) return { ok: false, failure: accepted.refusal };
    const { round } = accepted;
    const { coordinator, decisionId, round: number } = round.proposal;
    const name = JSON.stringify([coordinator, decisionId, number]);
    const before = this.#answers.get(name);
    const evidence = before && accuseCoordinator(before.proposal, invitation.proposal, sha256);
    if (evidence !== undefined) {
      const problem = `the coordinator signed two proposals for round ${number}`;
      return refusal(voter, problem, { evidence: evidence as unknown as Json });
    }
    const answer =
      before === undefined || before.isAbandoned
        ? new Answer(voter, round, { invitation, before, ...this.#ports })
        : before;
    if (answer !== before) this.#remember(name, answer);
    answer.wait(signal);
    return { round, answer };
  }

  /** An invitation from elsewhere may be anything; whatever it breaks, this voter does not fall. */
  #accept(invitation: Invitation): ReturnType<typeof acceptInvitation> {
    try {
      return acceptInvitation(invitation, this.#voter, this.#verify);
    } catch (thrown) {
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      const message = `${this.#voter.member.id} does not vote: the invitation is malformed (${problem})`;
      return { refusal: failure("consensus/bad-proposal", message) };
    }
  }

  /** A receipt for a ballot that this voter gave, signed by the coordinator that asked; undefined for anything else. */
  holdReceipt(given: unknown): SignedReceipt | undefined {
    const parsed = signedReceiptSchema.safeParse(given);
    if (!parsed.success) return undefined;
    const { body } = parsed.data;
    if (body.voter !== this.#voter.member.id) return undefined;
    for (const answer of this.#answers.values()) {
      const { proposal } = answer;
      const { coordinator, decisionId, round } = proposal.body;
      if (decisionId !== body.decisionId || round !== body.round) continue;
      if (digestOf(proposal.body, sha256) !== body.proposalDigest || !answer.gave(body.ballotDigest)) continue;
      const ports = { hash: sha256, verify: this.#verify };
      if (isSignedBy(publicKeyBytes(coordinator), "receipt", parsed.data, ports)) return parsed.data;
    }
    return undefined;
  }

  #remember(name: string, answer: Answer): void {
    this.#answers.set(name, answer);
    const oldest = this.#answers.keys().next();
    if (this.#answers.size > rememberedRoundsMax && oldest.done !== true) this.#answers.delete(oldest.value);
  }
}

/**
 * Puts a voter behind a message: it checks the coordinator's signature, that the question shown is the one signed,
 * that a further round follows a signed closing, and that it is in the electorate, before it gives an opinion. For
 * voters in other processes. Asked again in the same round it gives the same answer, so no coordinator can make it
 * vote twice; only where nobody waits any more before it has signed, it gives up, and may be asked anew. A second,
 * different proposal for one round is refused with the proof against the coordinator in `failure.data.evidence`. It
 * seals or commits as the proposal asks, and reveals only when a quorum has committed. In mode bft its replica runs
 * here. It remembers 1,024 rounds, and in a `store` its ballots and votes over a fall of this process too.
 */
export function joinAsParticipant(
  voter: Voter,
  verify: Verify = verifyEd25519,
  ports: ParticipantPorts = {},
): Participant & { readonly replica: DistantReplica } {
  const ledger = new Ledger(voter, verify, ports);
  const replica = new Seats(voter, {
    ...ports,
    clock: ports.clock ?? systemClock,
    verify,
    promise(invitation, signal) {
      const given = ledger.answer(invitation, signal);
      if ("ok" in given) return given;
      const { round, answer } = given;
      return { round, vote: answer.vote, store: answer.memory };
    },
  });
  return {
    member: voter.member,
    replica,
    acknowledge(receipt) {
      const held = ledger.holdReceipt(receipt);
      if (held !== undefined) voter.receive?.(held);
    },
    async commit(invitation, { signal }) {
      const given = ledger.answer(invitation, signal);
      if ("ok" in given) return given;
      const { round, answer } = given;
      if (round.proposal.commitClosesAt === undefined) return refusal(voter, "the proposal asks for no commitment");
      answer.secret ??= makeSecret(answer.vote, round, voter);
      const secret = await answer.secret;
      return secret.ok ? { ok: true, value: secret.value.commit } : secret;
    },
    async vote(invitation, { signal }) {
      const given = ledger.answer(invitation, signal);
      if ("ok" in given) return given;
      const { round, answer } = given;
      const { commitClosesAt, boxKey } = round.proposal;
      if (commitClosesAt === undefined) {
        const vote = await answer.vote;
        if (!vote.ok || boxKey === undefined) return vote;
        return { ok: true, value: sealAnswer(vote.value, boxKey, round.proposalDigest) };
      }
      const secret = await answer.secret;
      if (secret === undefined) return refusal(voter, "it has committed to nothing in this round");
      if (!secret.ok) return secret;
      const early = findEarlyReveal(invitation.commits, round, { commit: secret.value.commit, verify });
      return early === undefined ? { ok: true, value: secret.value.reveal } : refusal(voter, early);
    },
  };
}
