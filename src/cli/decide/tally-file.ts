import { nameElectorate } from "../../consensus/electorate.ts";
import { readPlainChoice } from "../../consensus/ballot.ts";
import { readMaxFaultyWeight, readRules, type BallotPolicy } from "../../consensus/policy.ts";
import { draftProposal, openProposal, type OpenedProposal } from "../../consensus/proposal.ts";
import {
  tallyPlainBallots,
  tallySignedBallots,
  type PlainBallot,
  type TalliedBallots,
} from "../../consensus/tally-ballots.ts";
import { isTroupeError, TroupeError } from "../../errors.ts";
import { plainBallot, readPlainMembers, type BallotsFile } from "./ballots-file.ts";
import type { FilePolicy } from "./policy-file.ts";

type Method = NonNullable<BallotPolicy["method"]>;

/** What the command line says about a vote. */
export interface Asked {
  readonly question: string | undefined;
  readonly options: readonly string[] | undefined;
  readonly policy: FilePolicy;
  /** The ballots file, for messages. */
  readonly file: string;
}

type PlainEntry = Parameters<typeof tallyPlainBallots>[2]["ballots"][number];

/** The method that the ballots are written for, where the policy names none. */
function guessMethod(given: BallotsFile, optionCount: number): Method {
  const forms = given.ballots.flatMap((entry) => {
    const choice = typeof entry === "object" && entry !== null && "choice" in entry ? entry.choice : null;
    if (Array.isArray(choice)) return ["approval" as const];
    if (typeof choice !== "object" || choice === null) return [];
    return "ranked" in choice ? ["ranked" as const] : "grades" in choice ? ["grades" as const] : [];
  });
  return forms[0] ?? (optionCount > 2 ? "approval" : "single");
}

function readPlainEntry(entry: unknown, method: Method): PlainEntry {
  const parsed = plainBallot.safeParse(entry);
  const named = typeof entry === "object" && entry !== null && "voter" in entry ? entry.voter : undefined;
  const from = typeof named === "string" ? { voter: named } : {};
  if (typeof entry === "object" && entry !== null && "weight" in entry)
    return {
      reason: "weightClaim",
      detail: "the ballot states a weight; weights are read from the electorate",
      ...from,
    };
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const detail = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a ballot"}`;
    return { reason: "malformed", detail, ...from };
  }
  const { voter, choice, confidence, reasoning } = parsed.data;
  try {
    return { voter, choice: readPlainChoice(choice, method), confidence, reasoning } satisfies PlainBallot;
  } catch (thrown) {
    if (!isTroupeError(thrown)) throw thrown;
    return { reason: "malformed", detail: thrown.message, ...from };
  }
}

/** The question and the options, which plain ballots do not carry. Errors: throws `usage/bad-argument`. */
export function requireAsked({ question, options }: Asked): {
  readonly question: string;
  readonly options: readonly string[];
} {
  if (question === undefined || options === undefined) {
    const missing = question === undefined ? "--question" : "--options";
    throw new TroupeError("usage/bad-argument", `${missing} is missing: plain ballots do not say what was asked`);
  }
  return { question, options };
}

/** The method that the ballots are for, and each ballot in its form or why it has none. */
export function readPlainEntries(
  given: BallotsFile,
  asked: Pick<Asked, "policy"> & { readonly options: readonly string[] },
): { readonly method: Method; readonly entries: readonly PlainEntry[] } {
  const method = asked.policy.method ?? guessMethod(given, asked.options.length);
  return { method, entries: given.ballots.map((entry) => readPlainEntry(entry, method)) };
}

/** Counts plain ballots. Errors: throws `usage/…` for a policy or electorate that cannot vote. */
export function tallyPlainFile(given: BallotsFile, asked: Asked): TalliedBallots {
  const { policy, file } = asked;
  const { question, options } = requireAsked(asked);
  const { method, entries } = readPlainEntries(given, { policy, options });
  const electorate = nameElectorate(readPlainMembers(file, given), policy);
  const content = { question, options, policy, ballots: given.ballots };
  const proposal = draftProposal({ ...policy, method, question, options, electorate }, content);
  return tallyPlainBallots(proposal, electorate, {
    ballots: entries,
    maxFaultyWeight: readMaxFaultyWeight(policy, proposal, electorate),
  });
}

function refuseContradiction(what: string, signed: string): never {
  throw new TroupeError(
    "usage/bad-argument",
    `${what}: the signed proposal says ${signed}, and the voters signed that; leave it out or use the proposal that it belongs to`,
  );
}

/** What the command line says about a signed proposal must be what the proposal says. */
function checkAgreement(body: OpenedProposal["proposal"]["body"], asked: Asked): void {
  const ids = body.options.map(({ id }) => id);
  if (asked.question !== undefined && asked.question !== body.question)
    refuseContradiction("--question", JSON.stringify(body.question));
  if (asked.options !== undefined && JSON.stringify(asked.options) !== JSON.stringify(ids))
    refuseContradiction("--options", ids.join(","));
  if (asked.policy.decisionId !== undefined && asked.policy.decisionId !== body.decisionId)
    refuseContradiction("decisionId in the policy", body.decisionId);
  const rules = readRules(asked.policy, ids.length);
  for (const [name, value] of Object.entries(rules)) {
    const signed = JSON.stringify(body[name as keyof typeof rules]);
    if (Object.hasOwn(asked.policy, name) && JSON.stringify(value) !== signed)
      refuseContradiction(`${name} in the policy`, signed);
  }
}

/** Counts signed ballots. Errors: throws `usage/…` for an electorate or proposal that is malformed or not signed. */
export function tallySignedFile(given: BallotsFile, asked: Asked): TalliedBallots {
  const opened = openProposal(given.proposal, given.electorate);
  if (!opened.ok) throw new TroupeError("usage/bad-file", `${asked.file}: ${opened.problem}`);
  const { proposal, round } = opened.value;
  checkAgreement(proposal.body, asked);
  return tallySignedBallots(round, {
    proposal,
    ballots: given.ballots,
    maxFaultyWeight: readMaxFaultyWeight(asked.policy, proposal.body, round.electorate),
  });
}
