import type { SignedCommit, SignedProposal } from "../../machines/consensus/codec/messages.ts";
import { failure, type Outcome } from "../../machines/failure.ts";
import type { Ids } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Observe } from "../ports/observe.ts";
import type { Signer, Verify } from "../ports/signer.ts";
import type { Store } from "../ports/store.ts";
import type { Host } from "../system/interpret.ts";
import { Announcer, type DecisionJournal } from "./announcer.ts";
import { assembleDecision } from "./assemble.ts";
import { AgreementRun } from "./bft/agree.ts";
import { assembleAgreement } from "./bft/assemble-agreement.ts";
import { Collector } from "./collector.ts";
import type { Decision } from "./decision.ts";
import { verifyEd25519 } from "./ed25519.ts";
import { readSecrecy } from "./policy.ts";
import { planDecision, type DecideRequest, type Plan } from "./plan.ts";
import { planNextRound, type PreviousRound } from "./rounds/next-round.ts";
import { commitToVote } from "./secrecy/secret-vote.ts";
import type { Sealed } from "./secrecy/sealed-vote.ts";
import { signRound } from "./signing.ts";
import { castVote, crashOf, guardVoter, type Invitation, type Participant, type Vote, type Voter } from "./voter.ts";

export type { DecideRequest } from "./plan.ts";

/** What a decision is run on. Nothing here assumes one process. */
export interface DecidePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observe: Observe;
  /** The coordinator's key: it signs the proposal and the closing. */
  readonly coordinator: Signer;
  /** Default: the one Ed25519 verifier of node:crypto. */
  readonly verify?: Verify;
  /** Where configuration, participants, opinions, ballots and result are kept, in the log `decision/<id>`. */
  readonly journal?: DecisionJournal;
  /** Where members of mode bft keep what they signed; without it, nowhere that outlives this call. */
  readonly votes?: Pick<Store, "append" | "read">;
  /** Where the charts of the decision are shown to an inspector; left out, nowhere, which is cheaper. */
  readonly host?: Host;
}

/** Why voters still at work are told to stop; made once, since an error with its stack is dear. */
const decisionOver = new Error("the decision is over");

/** What a voter is asked with. */
interface Asking {
  readonly plan: Plan;
  readonly invitation: Invitation;
  readonly signal: AbortSignal;
}

/** Opens what came sealed; what cannot be opened is taken for a ballot that is none. */
function unseal(outcome: Outcome<Vote | Sealed>, { box, round }: Plan): Outcome<Vote> {
  if (!outcome.ok) return outcome;
  const { value } = outcome;
  if (box === undefined || typeof value !== "object" || value === null || !("sealed" in value)) {
    return { ok: true, value: value as Vote };
  }
  const opened = box.open(value, round.proposalDigest);
  return { ok: true, value: opened.ok ? (opened.value as Vote) : { ballots: [{ problem: opened.problem }] } };
}

async function receiveVote(voter: Participant, { plan, invitation, signal }: Asking): Promise<Outcome<Vote>> {
  return unseal(await voter.vote(invitation, { signal }), plan);
}

/** Asks one voter for its ballot. Throws or rejects where the voter does. */
function ask(voter: Voter | Participant, asking: Asking): Promise<Outcome<Vote>> {
  const { plan, signal } = asking;
  return "vote" in voter
    ? receiveVote(voter, asking)
    : castVote(voter, plan.round, { question: plan.question, signal });
}

/** Asks one voter for its commitment, and later for the ballot behind it. */
function askSecretly(
  voter: Voter | Participant,
  { plan, invitation, signal }: Asking,
): { readonly commit: Promise<Outcome<unknown>>; reveal(commits: readonly SignedCommit[]): Promise<Outcome<Vote>> } {
  if ("vote" in voter) {
    const refused = failure("consensus/bad-proposal", `voter ${voter.member.id} cannot commit before it votes`);
    return {
      commit: guardVoter(
        voter.member.id,
        async () => (await voter.commit?.(invitation, { signal })) ?? { ok: false, failure: refused },
      ),
      reveal: (commits) =>
        guardVoter(voter.member.id, async () => unseal(await voter.vote({ ...invitation, commits }, { signal }), plan)),
    };
  }
  const secret = guardVoter(voter.member.id, async () => {
    const vote = await castVote(voter, plan.round, { question: plan.question, signal });
    if (!vote.ok) return vote;
    const by = { voter: voter.member.id, signer: voter.signer };
    return { ok: true, value: await commitToVote(vote.value, plan.round, by) };
  });
  return {
    commit: secret.then((made) => (made.ok ? { ok: true, value: made.value.commit } : made)),
    reveal: async () => {
      const made = await secret;
      return made.ok ? { ok: true, value: made.value.reveal } : made;
    },
  };
}

/** Gives a voter behind messages the coordinator's receipt; whether it arrives is of no concern to the round. */
async function acknowledge(voter: Participant, collector: Collector): Promise<void> {
  if (voter.acknowledge === undefined) return;
  const receipt = await collector.receiptFor(voter.member.id);
  if (receipt !== undefined) voter.acknowledge(receipt);
}

/** One voter's whole part in a round: one answer, or a commitment and then the ballot. */
async function hearVoter(voter: Voter | Participant, collector: Collector, asking: Asking): Promise<void> {
  const { id } = voter.member;
  if (asking.plan.round.proposal.commitClosesAt === undefined) {
    let answer: Outcome<Vote>;
    try {
      answer = await ask(voter, asking);
    } catch (error) {
      answer = crashOf(id, error);
    }
    collector.deliver(id, answer);
    if ("vote" in voter) await acknowledge(voter, collector);
    return;
  }
  const secret = askSecretly(voter, asking);
  const committed = secret.commit.then((commit) => collector.deliverCommit(id, commit));
  const [, voters] = await Promise.all([committed, collector.committed]);
  if (!voters.includes(id)) return;
  collector.deliver(id, await secret.reveal(collector.commits));
  if ("vote" in voter) await acknowledge(voter, collector);
}

/** Rejects with the caller's reason as soon as its signal aborts. */
function rejectOnAbort(signal: AbortSignal | undefined, until: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true, signal: until });
  return promise;
}

/**
 * Puts one question to an electorate and returns what its signed ballots decide.
 * All voters are asked at once and blind to each other; each opinion becomes that voter's own signed ballot; the
 * round closes when the outcome can no longer change, when all are in, or at the timeout. A voter that fails or stays
 * silent is absent. Text is never read as a vote.
 * Errors: throws `usage/invalid-electorate`, `usage/invalid-policy` or `usage/invalid-options` before anybody is
 * asked; rejects with the signal's reason when aborted. A split vote is a result, never an error.
 * Source: consensus design §3, docs/decisions/0010.
 */
export async function decide(request: DecideRequest, ports: DecidePorts): Promise<Decision> {
  request.signal?.throwIfAborted();
  const { clock, observe, journal } = ports;
  const startedAt = clock.now();
  let plan: Plan | undefined = planDecision(request, ports);
  const announcer = new Announcer(plan.round.proposal.decisionId, { clock, observe, journal });
  const before: Decision[] = [];
  for (;;) {
    const decision = await decideRound(request, { plan, before, startedAt, announcer }, ports);
    plan = planNextRound(request, { plan, decision }, ports);
    if (plan === undefined) {
      announcer.tell("decision.closed", undefined, () => summarize(decision));
      const problem = await announcer.settle();
      return problem === undefined ? decision : withUnwrittenJournal(decision, problem);
    }
    before.push(decision);
  }
}

/** Where a decision stands when a round begins. */
interface Sitting {
  readonly plan: Plan;
  readonly before: readonly Decision[];
  readonly startedAt: number;
  readonly announcer: Announcer;
}

function previousOf(before: readonly Decision[]): PreviousRound | undefined {
  const last = before.at(-1);
  return last === undefined || last.closing === null ? undefined : { proposal: last.proposal, closing: last.closing };
}

/** One round: signed, opened, asked, collected and tallied. */
async function decideRound(request: DecideRequest, sitting: Sitting, ports: DecidePorts): Promise<Decision> {
  const { clock, coordinator } = ports;
  const { plan, announcer, before } = sitting;
  const { round, question, maxFaultyWeight } = plan;
  const proposal = await signRound(round, coordinator);
  if (request.mode === "bft") return await agreeOnBallots(request, { ...sitting, proposal }, ports);
  const previous = previousOf(before);
  const facts = { question, proposal, electorate: round.electorate, maxFaultyWeight };
  if (previous === undefined) await announcer.open(() => facts);
  else announcer.tell("decision.round", undefined, () => ({ ...facts, previous: previous.closing }));
  if (readSecrecy(request) !== "open") announcer.hold();
  const verify = ports.verify ?? verifyEd25519;
  const collector = new Collector(round, { clock, coordinator, announcer, verify, host: ports.host });
  collector.metrics.signs += 1;
  const invitation = {
    question,
    proposal,
    electorate: round.electorate,
    ...(previous === undefined ? {} : { previous }),
  };
  await collectBallots(request, { plan, collector, invitation, announcer });
  const ms = Math.round(clock.now() - sitting.startedAt);
  return assembleDecision({ round, proposal, collector, maxFaultyWeight, ms, before });
}

/** Mode bft: every voter has a replica, and they agree among themselves. */
async function agreeOnBallots(
  request: DecideRequest,
  sitting: Sitting & { readonly proposal: SignedProposal },
  ports: DecidePorts,
): Promise<Decision> {
  const { clock, votes } = ports;
  const { plan, announcer, proposal } = sitting;
  const { round, question, maxFaultyWeight } = plan;
  await announcer.open(() => ({ question, proposal, electorate: round.electorate, maxFaultyWeight }));
  const invitation = { question, proposal, electorate: round.electorate };
  const over = new AbortController();
  const stop = (): void => over.abort(request.signal?.reason);
  request.signal?.addEventListener("abort", stop, { once: true });
  const voters = round.electorate.members.flatMap(({ id }) => request.voters.filter(({ member }) => member.id === id));
  const run = new AgreementRun(
    { plan, proposal, invitation, voters, close: request.close ?? "early" },
    {
      clock,
      announcer,
      ...(votes === undefined ? {} : { store: votes }),
      verify: ports.verify ?? verifyEd25519,
      ...(ports.host === undefined ? {} : { host: ports.host }),
      ask: (voter) => guardVoter(voter.member.id, () => ask(voter, { plan, invitation, signal: over.signal })),
    },
  );
  try {
    request.signal?.throwIfAborted();
    const agreement = await run.hold(over.signal);
    request.signal?.throwIfAborted();
    const ms = Math.round(clock.now() - sitting.startedAt);
    return assembleAgreement(agreement, { round, proposal, maxFaultyWeight, ms });
  } finally {
    request.signal?.removeEventListener("abort", stop);
    over.abort(decisionOver);
  }
}

/** Asks all voters at once and waits for the signed result of the round. */
async function collectBallots(
  request: DecideRequest,
  held: {
    readonly plan: Plan;
    readonly collector: Collector;
    readonly invitation: Invitation;
    readonly announcer: Announcer;
  },
): Promise<void> {
  const { plan, collector, invitation, announcer } = held;
  const over = new AbortController();
  const aborted = rejectOnAbort(request.signal, over.signal);
  collector.open(request.close ?? "early");
  const asking = { plan, invitation, signal: over.signal };
  const asked = request.voters.map((voter) => hearVoter(voter, collector, asking));
  const everybody = Promise.all(asked);
  try {
    request.signal?.throwIfAborted();
    await Promise.race([collector.result, aborted, everybody.then(() => collector.result)]);
  } catch (error) {
    announcer.release();
    collector.stop();
    throw error;
  } finally {
    over.abort(decisionOver);
  }
  // Voters still on their way may bring evidence; the chart is stopped when the last has answered, or one went wrong.
  const stop = (): void => collector.stop();
  everybody.then(stop, stop);
}

/** What the facts before the closing have told already. */
const toldBefore: ReadonlySet<string> = new Set(["ballots", "electorate", "proposal"]);

function summarize(decision: Decision): object {
  return Object.fromEntries(Object.entries(decision).filter(([name]) => !toldBefore.has(name)));
}

function withUnwrittenJournal(decision: Decision, problem: string): Decision {
  const warning = {
    code: "journal-unwritten" as const,
    message: `Not everything of this decision is in the journal: ${problem}.`,
  };
  return {
    ...decision,
    assumptions: { ...decision.assumptions, warnings: [...decision.assumptions.warnings, warning] },
  };
}
