import { nameRound, type Round } from "../../../machines/consensus/ballot/round.ts";
import { decodeHex } from "../../../machines/consensus/codec/bytes.ts";
import {
  optionsMax,
  signedClosingSchema,
  type SignedClosing,
  type SignedProposal,
} from "../../../machines/consensus/codec/messages.ts";
import { isSignedBy } from "../../../machines/consensus/codec/sign-bytes.ts";
import { TroupeError } from "../../errors.ts";
import type { Ids } from "../../ports/chance.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Signer, Verify } from "../../ports/signer.ts";
import type { Decision } from "../decision.ts";
import { sha256 } from "../ed25519.ts";
import { decisionQuestion } from "../opinion/opinion.ts";
import type { DecideRequest, Plan } from "../plan.ts";
import { readDeadlines } from "../policy.ts";
import { buildProposal, openProposal } from "../proposal.ts";

/** Rounds of a decision unless the caller says otherwise. */
export const roundsDefault = 3;
/** Most rounds of one decision. */
export const roundsMax = 20;

/** What closed the round before: a voter signs the next one only with this in hand. */
export interface PreviousRound {
  readonly proposal: SignedProposal;
  readonly closing: SignedClosing;
}

/** Reads how many rounds there may be: one, unless alternatives are to be voted on. */
export function readMaxRounds(request: Pick<DecideRequest, "maxRounds" | "onAlternatives">): number {
  const { maxRounds = roundsDefault, onAlternatives = "report" } = request;
  if (onAlternatives !== "report" && onAlternatives !== "next-round") {
    throw new TroupeError(
      "usage/invalid-policy",
      `onAlternatives: ${JSON.stringify(onAlternatives)} must be "report" or "next-round"`,
    );
  }
  if (!Number.isInteger(maxRounds) || maxRounds < 1 || maxRounds > roundsMax)
    throw new TroupeError(
      "usage/invalid-policy",
      `maxRounds: ${maxRounds} must be a whole number from 1 to ${roundsMax}`,
    );
  return onAlternatives === "report" ? 1 : maxRounds;
}

/**
 * The next round, where the last one decided nothing and voters of more than the tolerated faulty weight proposed
 * something new: the same question with these alternatives as further options. Undefined where the decision ends.
 */
export function planNextRound(
  request: DecideRequest,
  last: { readonly plan: Plan; readonly decision: Decision },
  ports: { readonly clock: Clock; readonly ids: Ids; readonly coordinator: Signer },
): Plan | undefined {
  const { plan, decision } = last;
  const { proposal, electorate } = plan.round;
  if (decision.status === "decided" || proposal.round >= readMaxRounds(request)) return undefined;
  const known = new Set(plan.question.options.map(({ id }) => id));
  const carried = decision.alternatives
    .filter(({ id, isEndorsed }) => isEndorsed && !known.has(id) && id !== "abstain")
    .filter(({ id }, index, all) => all.findIndex((other) => other.id === id) === index)
    .slice(0, optionsMax - known.size)
    .map(({ id, description }) => ({ id, label: description }));
  if (carried.length === 0) return undefined;
  const question = decisionQuestion.parse({ ...plan.question, options: [...plan.question.options, ...carried] });
  const body = buildProposal(
    {
      ...request,
      options: question.options,
      method: proposal.method,
      decisionId: proposal.decisionId,
      round: proposal.round + 1,
      electorate,
      ...readDeadlines(request, ports.clock.now()),
      ...(plan.box === undefined ? {} : { boxKey: plan.box.key }),
    },
    { signer: ports.coordinator, ids: ports.ids },
  );
  return { ...plan, question, round: nameRound(body, electorate, sha256) };
}

/** Says why a round must not be voted on although its proposal is sound, or nothing. Never throws on data. */
export function findSuccessionFault(round: Round, previous: unknown, verify: Verify): string | undefined {
  const { proposal } = round;
  if (proposal.round === 1) return undefined;
  if (typeof previous !== "object" || previous === null || !("proposal" in previous) || !("closing" in previous))
    return `round ${proposal.round} comes without the signed closing of round ${proposal.round - 1}`;
  const before = openProposal(previous.proposal, round.electorate, verify);
  if (!before.ok) return `the round before: ${before.problem}`;
  const earlier = before.value.round.proposal;
  const isSequel =
    earlier.decisionId === proposal.decisionId &&
    earlier.round === proposal.round - 1 &&
    earlier.coordinator === proposal.coordinator &&
    earlier.options.every(({ digest }, index) => proposal.options[index]?.digest === digest);
  if (!isSequel) return "the round before is another decision's, another round, or had other options";
  const closing = signedClosingSchema.safeParse(previous.closing);
  const key = decodeHex(proposal.coordinator);
  if (!closing.success) return "the closing of the round before is malformed";
  const { body } = closing.data;
  const isClosed = body.proposalDigest === before.value.round.proposalDigest && body.status !== "decided";
  if (!isClosed) return "the closing is not about the round before, or says that it decided";
  return isSignedBy(key, "closing", closing.data, { hash: sha256, verify })
    ? undefined
    : "the closing of the round before is not signed by the coordinator";
}
