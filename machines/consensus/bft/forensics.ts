import { isQuorum, type AdmissionRules } from "./admission.ts";
import { proposerOf, type Council } from "./council.ts";
import { duplicateEvidence, type Amnesia, type BftEvidence, type DuplicateStatement } from "./evidence.ts";
import { isSameContent, type Commit, type Proposal, type Statement, type Vote } from "./statement.ts";
import { addVote, logOf, noVotes, replaceLog, votesFor, type RoundLog, type VoteSet } from "./vote-keeper.ts";

/** Everything that one member heard. */
export type Transcript = readonly RoundLog[];

function mergeVotes(council: Council, set: VoteSet, votes: readonly Vote[]): VoteSet {
  let merged = set;
  for (const vote of votes) merged = addVote(merged, vote, { council, isCertified: true })?.set ?? merged;
  return merged;
}

function mergeProposals(known: readonly Proposal[], more: readonly Proposal[]): readonly Proposal[] {
  return [...known, ...more.filter((proposal) => !known.some((other) => isSameContent(other, proposal)))];
}

/** What all of them heard together: the input of forensics, once everybody has told what it knows. */
export function mergeTranscripts(council: Council, transcripts: readonly Transcript[]): Transcript {
  let merged: readonly RoundLog[] = [];
  for (const log of transcripts.flat()) {
    const before = logOf(merged, log.round) ?? {
      round: log.round,
      proposals: [],
      prevotes: noVotes,
      precommits: noVotes,
    };
    merged = replaceLog(merged, {
      round: log.round,
      proposals: mergeProposals(before.proposals, log.proposals),
      prevotes: mergeVotes(council, before.prevotes, log.prevotes.votes),
      precommits: mergeVotes(council, before.precommits, log.precommits.votes),
    });
  }
  return merged;
}

/** The first pair of different statements of each member in a list of one kind and round. */
function findDuplicates(statements: readonly Statement[]): DuplicateStatement[] {
  const first = new Map<number, Statement>();
  const found = new Map<number, DuplicateStatement>();
  for (const statement of statements) {
    const other = first.get(statement.voter);
    if (other === undefined) first.set(statement.voter, statement);
    else if (!isSameContent(other, statement) && !found.has(statement.voter)) {
      found.set(statement.voter, duplicateEvidence(other, statement));
    }
  }
  return [...found.values()];
}

/** Every member that signed two different statements of one kind in one round. */
export function findEquivocations(transcript: Transcript): DuplicateStatement[] {
  return transcript.flatMap(({ proposals, prevotes, precommits }) => [
    ...findDuplicates(proposals),
    ...findDuplicates(prevotes.votes),
    ...findDuplicates(precommits.votes),
  ]);
}

/**
 * Who forgot its lock between two commits. Only the earliest later polka for another value counts: after a polka that
 * came in between, an honest member may have moved its lock and voted as it should.
 */
export function findAmnesia(
  council: Council,
  commits: readonly [Commit, Commit],
  transcript: Transcript,
): Amnesia | undefined {
  const [earlier] = commits[0].round <= commits[1].round ? commits : [commits[1]];
  for (const { round, prevotes } of transcript) {
    if (round <= earlier.round) continue;
    const others = prevotes.sums.filter(({ value, weight }) => {
      return weight >= council.quorum && value !== null && value !== earlier.value;
    });
    if (others.length === 0) continue;
    const forgetful = others.find(({ validRound }) => validRound < earlier.round);
    if (forgetful === undefined) return undefined;
    const polka = votesFor(prevotes, forgetful);
    const committed = new Set(earlier.votes.map(({ voter }) => voter));
    const culprits = polka.map(({ voter }) => voter).filter((voter) => committed.has(voter));
    return { kind: "Amnesia", culprits, commit: earlier.votes, polka };
  }
  return undefined;
}

/**
 * What two commits of different values prove, given what everybody heard. Up to two thirds of faulty weight it names
 * more than a third of the weight, and never an honest member.
 */
export function explainDisagreement(
  council: Council,
  commits: readonly [Commit, Commit],
  transcripts: readonly Transcript[],
): BftEvidence[] {
  const certified = commits.map(({ round, votes }): RoundLog => {
    return { round, proposals: [], prevotes: noVotes, precommits: mergeVotes(council, noVotes, votes) };
  });
  const transcript = mergeTranscripts(council, [...transcripts, certified]);
  const amnesia = commits[0].round === commits[1].round ? undefined : findAmnesia(council, commits, transcript);
  return [...findEquivocations(transcript), ...(amnesia === undefined ? [] : [amnesia])];
}

/** The members that evidence names, in ascending order, and their weight. */
export function countCulprits(
  council: Council,
  evidence: readonly BftEvidence[],
): { readonly members: readonly number[]; readonly weight: number } {
  const members = [...new Set(evidence.flatMap(({ culprits }) => [...culprits]))].sort((left, right) => left - right);
  return { members, weight: members.reduce((sum, member) => sum + (council.weights[member] ?? 0), 0) };
}

function isSamePlace(left: Statement, right: Statement): boolean {
  return left.kind === right.kind && left.voter === right.voter && left.round === right.round;
}

function checkAmnesia(evidence: Amnesia, rules: AdmissionRules): boolean {
  const [commit] = evidence.commit;
  const [polka] = evidence.polka;
  if (commit === undefined || polka === undefined || commit.value === null || polka.value === null) return false;
  if (commit.value === polka.value || polka.round <= commit.round || polka.validRound >= commit.round) return false;
  const both = evidence.polka
    .map(({ voter }) => voter)
    .filter((voter) => evidence.commit.some((vote) => vote.voter === voter));
  return (
    isQuorum(evidence.commit, { kind: "precommit", round: commit.round, value: commit.value }, rules) &&
    isQuorum(evidence.polka, { kind: "prevote", round: polka.round, value: polka.value }, rules) &&
    both.length === evidence.culprits.length &&
    both.every((voter, index) => voter === evidence.culprits[index])
  );
}

/**
 * Checks evidence without trusting whoever brings it. Amnesia is checked as far as it goes: it is refuted by an
 * earlier polka, which only the votes of all members can exclude. `isInvalid` says whether a value breaks the rules.
 */
export function isEvidenceSound(
  evidence: BftEvidence,
  rules: AdmissionRules,
  isInvalid: (value: string) => boolean,
): boolean {
  if (evidence.kind === "Amnesia") return checkAmnesia(evidence, rules);
  const [first, second] = evidence.statements;
  const isSigned = evidence.statements.every((statement) => {
    const isHere = statement.decision === rules.council.decision && statement.electorate === rules.council.electorate;
    return isHere && statement.voter === evidence.culprits[0] && rules.verify(statement);
  });
  if (!isSigned) return false;
  if (evidence.kind === "WrongProposer") {
    return first.kind === "proposal" && proposerOf(rules.council, first.round) !== first.voter;
  }
  if (evidence.kind === "InvalidVote") return first.value !== null && isInvalid(first.value);
  return (
    second !== undefined &&
    evidence.kind === duplicateEvidence(first, second).kind &&
    isSamePlace(first, second) &&
    !isSameContent(first, second)
  );
}
