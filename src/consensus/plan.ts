import { nameRound, type Round } from "../../machines/consensus/ballot/round.ts";
import type { Electorate } from "../../machines/consensus/electorate/electorate.ts";
import { TroupeError } from "../errors.ts";
import type { Ids } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Signer } from "../ports/signer.ts";
import { sha256 } from "./ed25519.ts";
import { capWeights, seatPanel } from "./electorate.ts";
import { decisionQuestion, type DecisionQuestion } from "./opinion/opinion.ts";
import { checkAgreement, readAgreementClaim } from "./bft/terms.ts";
import { readDeadlines, readMaxFaultyWeight, readSecrecy, type BallotPolicy } from "./policy.ts";
import { readPlainQuestion } from "./plain-proposal.ts";
import { buildProposal, type DecisionOption } from "./proposal.ts";
import { readMaxRounds } from "./rounds/next-round.ts";
import { createBox, type Box } from "./secrecy/sealed-vote.ts";
import type { Participant, Voter } from "./voter.ts";

/** One question put to an electorate. */
export interface DecideRequest extends BallotPolicy {
  readonly question: string;
  /** Ids, or options with a label and a payload; boldest first where that has a meaning. */
  readonly options: readonly (string | DecisionOption)[];
  /** Voters within reach of a function call, or behind messages. */
  readonly voters: readonly (Voter | Participant)[];
  readonly context?: DecisionQuestion["context"];
  readonly constraints?: readonly string[];
  /**
   * "ballot" (default): this coordinator collects signed ballots and closes the round. "bft": the voters agree among
   * themselves on which ballots count; it takes four voters or more, each with less than a third of the weight.
   */
  readonly mode?: "ballot" | "bft";
  /**
   * What becomes of alternatives that voters propose when nothing is decided: told in the result (default), or options
   * of a next round, once more than `maxFaultyWeight` stands behind them.
   */
  readonly onAlternatives?: "report" | "next-round";
  /** Most rounds with "next-round", 1 to 20; default 3. Each has the whole `timeoutMs`. */
  readonly maxRounds?: number;
  readonly decisionId?: string;
  /** Number of the electorate; raise it when membership or weights change. Default 0. */
  readonly epoch?: number;
  readonly signal?: AbortSignal;
}

/** A decision whose every choice is checked. */
export interface Plan {
  readonly round: Round;
  readonly question: DecisionQuestion;
  readonly maxFaultyWeight: number;
  /** Opens the answers of voters behind messages; undefined where nothing is sealed. */
  readonly box: Box | undefined;
}

/** Everything a request may hold. A rule that is not known here would be silently left out of the vote. */
const requestFields = {
  question: true,
  options: true,
  voters: true,
  context: true,
  constraints: true,
  mode: true,
  onAlternatives: true,
  maxRounds: true,
  decisionId: true,
  epoch: true,
  signal: true,
  method: true,
  prefer: true,
  threshold: true,
  participation: true,
  minBallots: true,
  confidence: true,
  diversity: true,
  defaultOption: true,
  maxFaultyWeight: true,
  timeoutMs: true,
  close: true,
  secrecy: true,
} as const satisfies Record<keyof DecideRequest, true>;

function checkFields(request: DecideRequest): void {
  const unknown = Object.keys(request).find((name) => !(name in requestFields));
  if (unknown !== undefined) {
    const known = Object.keys(requestFields).join(", ");
    throw new TroupeError("usage/invalid-options", `${unknown}: no such option of a decision; there are ${known}`);
  }
  if (request.mode !== undefined && request.mode !== "ballot" && request.mode !== "bft") {
    throw new TroupeError(
      "usage/invalid-options",
      `mode: ${JSON.stringify(request.mode)} is not offered; leave it out or choose "ballot" or "bft"`,
    );
  }
  if (request.close !== undefined && request.close !== "early" && request.close !== "all") {
    throw new TroupeError("usage/invalid-policy", `close: ${JSON.stringify(request.close)} must be "early" or "all"`);
  }
}

function electWith(request: DecideRequest): Electorate {
  const members = request.voters.map(({ member }) => member);
  if (members.length === 0)
    throw new TroupeError("usage/invalid-electorate", "voters: nobody is asked; give at least one voter");
  const cap = request.diversity?.groupCap;
  const weighted = cap === undefined ? members : capWeights(members, cap, { per: "group" });
  return seatPanel(weighted, request.epoch ?? 0);
}

/** A box where ballots are sealed and travel: what is within reach of a function call needs none. */
function openBox(request: DecideRequest): Box | undefined {
  const isSealed = readSecrecy(request) === "sealed";
  return isSealed && request.voters.some((voter) => "vote" in voter) ? createBox() : undefined;
}

function readQuestion(
  { question, options, context, constraints }: DecideRequest,
  decisionId: string,
): DecisionQuestion {
  const asked = {
    decisionId,
    description: question,
    options: options.map((option) => (typeof option === "string" ? { id: option } : option)),
    context: context ?? undefined,
    constraints: constraints ?? undefined,
  };
  const plain = readPlainQuestion(asked);
  if (plain !== undefined) return plain;
  const read = decisionQuestion.safeParse(asked);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new TroupeError(
    "usage/invalid-options",
    `${issue?.path.join(".") ?? "question"}: ${issue?.message ?? "not allowed"}`,
  );
}

/** Checks everything the caller chose, before anybody is asked. Errors: throws `usage/…`. */
export function planDecision(
  request: DecideRequest,
  ports: { readonly clock: Clock; readonly ids: Ids; readonly coordinator: Signer },
): Plan {
  checkFields(request);
  readMaxRounds(request);
  const electorate = electWith(request);
  if (request.mode === "bft") checkAgreement(request, electorate);
  const box = request.mode === "bft" ? undefined : openBox(request);
  const body = buildProposal(
    {
      ...request,
      electorate,
      ...(request.mode === "bft" ? { closing: "commit" as const } : {}),
      ...readDeadlines(request, ports.clock.now()),
      ...(box === undefined ? {} : { boxKey: box.key }),
    },
    { signer: ports.coordinator, ids: ports.ids },
  );
  const question = readQuestion(request, body.decisionId);
  const maxFaultyWeight =
    request.mode === "bft"
      ? readAgreementClaim(request, body, electorate)
      : readMaxFaultyWeight(request, body, electorate);
  const round = nameRound(body, electorate, sha256);
  return { round, question, maxFaultyWeight, box };
}
