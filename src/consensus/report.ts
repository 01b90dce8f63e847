import { formatShare } from "../../machines/consensus/electorate/threshold.ts";
import { isComparing } from "../../machines/consensus/ballot/count.ts";
import type { CoordinatorEquivocation } from "../../machines/consensus/certificate/evidence.ts";
import type { CommitCertificate } from "../../machines/consensus/codec/commit-messages.ts";
import type { BallotRecord, DecisionOptionTally, TalliedRound } from "./decision.ts";

/** Longest reasoning shown per voter, in characters; the decision holds the whole. */
export const reasoningShownMax = 240;

/** Text from voters on one line, without control or direction characters, so that it cannot redraw a terminal. */
export function flatten(text: string, max: number): string {
  const line = text
    .replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu, " ")
    .replace(/ +/g, " ")
    .trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

function percent(ratio: number | null): string {
  return ratio === null ? "not stated" : `${Math.round(ratio * 100)} %`;
}

/** A part of a page, after an empty line; nothing where it would be empty. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

/** Why an option won, or none did, where options are compared and no share of support is asked for. */
function describeComparison(decision: TalliedRound, leader: DecisionOptionTally | undefined): string {
  const isRanked = decision.proposal.body.method === "ranked";
  if (decision.status === "decided") {
    const rule = isRanked
      ? "it wins against every other option pair by pair, or by the strongest paths (Schulze) where majorities run in a circle"
      : `its majority grade of ${leader?.majorityGrade ?? 0} out of 100 is the best (majority judgment)`;
    return `Passed: "${decision.option}": ${rule}.`;
  }
  return isRanked
    ? "Not passed: no ballot ranks any option above another."
    : "Not passed: the majority grade of every option is 0, a rejection.";
}

function describeOutcome(decision: TalliedRound): string {
  const { tally, assumptions, proposal } = decision;
  const basis = proposal.body.threshold.of === "cast" ? "the weight cast" : `the registered weight of ${assumptions.W}`;
  const need = `${tally.quorum} (${formatShare(proposal.body.threshold)} of ${basis})`;
  const leader = tally.options.find(({ option }) => option === tally.leading);
  const isCompared = isComparing(proposal.body.method);
  if (isCompared && (decision.status === "decided" || decision.status === "no-majority"))
    return describeComparison(decision, leader);
  switch (decision.status) {
    case "decided": {
      const rule =
        proposal.body.prefer === "bold"
          ? "the first listed of those that reach it wins"
          : "of those that reach it the best score wins";
      return `Passed: "${decision.option}" has the support of weight ${leader?.support ?? 0} and needed ${need}; ${rule}.`;
    }
    case "no-majority":
      return `Not passed: no option reached ${need}; ${leader === undefined ? "none has any support" : `"${leader.option}" came closest with ${leader.support}`}.`;
    case "no-quorum":
      return tally.participating < tally.participationQuorum
        ? `Not passed: weight ${tally.participating} took part, but ${tally.participationQuorum} (${formatShare(proposal.body.participation)}) must.`
        : `Not passed: ${tally.ballots} ballots did more than abstain, but ${proposal.body.minBallots} must.`;
    case "timeout":
      return "Not agreed: the members did not agree in time. This is no rejection: they may still decide, and then the certificate says what.";
    case "conflict":
      return "Not agreed: members hold certificates of different outcomes, which only more than F_safe of faulty weight can make. Trust neither.";
    case "low-confidence":
      return `Not passed: "${leader?.option ?? ""}" ${isCompared ? "won the comparison" : `reached ${need}`}, but its supporters' median confidence is ${percent(decision.confidence)}, below the gate of ${percent((proposal.body.confidence.gate ?? 0) / 10_000)}.`;
  }
}

const standingWords: Readonly<Record<BallotRecord["standing"], string>> = {
  counts: "",
  abstains: "",
  "low-confidence": "below the confidence floor: counts as an abstention",
  void: "VOID: cast two different ballots",
  late: "late: not counted",
};

function describeChoice({ choice, standing, confidence, ballot }: BallotRecord): string {
  if (standing === "void") return "";
  if (choice === null) return "abstains";
  const { choice: said } = ballot.body;
  if (said.kind === "ranked") {
    const order = said.order.map((tier) => tier.join(" = ")).join(" > ");
    return `ranks ${flatten(order, 300)}, confidence ${percent(confidence)}`;
  }
  if (said.kind === "grades") {
    const grades = Object.entries(said.grades).map(([option, grade]) => `${option} ${grade}`);
    return `grades ${flatten(grades.join(", "), 300)}, confidence ${percent(confidence)}`;
  }
  const options = choice.length === 0 ? "against every option" : `for ${choice.join(", ")}`;
  return `${options}, confidence ${percent(confidence)}`;
}

function describeBallot(record: BallotRecord): string[] {
  const { voter, weight, recommendation, standing } = record;
  const advice = recommendation === null || recommendation === "abstain" ? "" : `recommends ${recommendation}`;
  const parts = [describeChoice(record), advice, standingWords[standing]].filter((part) => part !== "");
  const reasoning = flatten(record.reasoning, reasoningShownMax);
  return [`${voter}, weight ${weight}: ${parts.join("; ")}`, ...(reasoning === "" ? [] : [`    ${reasoning}`])];
}

function describeTally(decision: TalliedRound): string[] {
  const { tally, assumptions } = decision;
  const isCompared = isComparing(decision.proposal.body.method);
  const options = tally.options.map(({ option, support, passed, confidence, majorityGrade, voters }) => {
    const names = voters.length === 0 ? "nobody" : voters.join(", ");
    return `${option}: ${support} of ${assumptions.W}${passed ? `, ${isCompared ? "wins the comparison" : "reaches the quorum"}` : ""} (${names}${majorityGrade === null ? "" : `; majority grade ${majorityGrade}`}; median confidence ${percent(confidence)})`;
  });
  return [
    ...options,
    `took part ${tally.participating} (needed ${tally.participationQuorum}), abstained ${tally.abstaining}, void ${tally.voided}, absent ${tally.absent}`,
    `agreement ${percent(decision.agreement)}, ${decision.option === null ? "margin" : "margin of victory"} ${decision.marginOfVictory}, ${decision.robust ? "robust" : "not robust"} against faulty weight ${assumptions.maxFaultyWeight}`,
  ];
}

function describeBounds({ assumptions }: TalliedRound): string[] {
  const { W, q, fSafe, fLive, faulty } = assumptions;
  return [
    `W = ${W}, quorum q = ${q}`,
    fSafe < 0
      ? `F_safe = ${fSafe}: two options can reach this quorum at once`
      : `F_safe = ${fSafe}: up to this weight of double voters, no two quorums stand behind different options of a single choice`,
    `F_live = ${fLive}: with up to this weight silent or void, the others can still decide`,
    `faulty weight seen: ${faulty}${faulty > fLive ? ` — beyond F_live` : ""}`,
  ];
}

/** Whose word the signatures are: keys in one process are no better guarded than it. */
function describeCustody({ members }: TalliedRound["electorate"]): string[] {
  const named = (custody: "host" | "agent"): string =>
    members.flatMap((member) => (member.custody === custody ? [member.id] : [])).join(", ");
  const [host, agent] = [named("host"), named("agent")];
  return [
    "Keys held in one process protect against faulty agents, not against a compromised host.",
    ...(host === "" ? [] : [`Keys held by the host: ${host}.`]),
    ...(agent === "" ? [] : [`Keys held by the voters themselves, as they say: ${agent}.`]),
  ];
}

function describeProof(decision: TalliedRound): string[] {
  if (decision.certificate === null) {
    return decision.status === "decided"
      ? ["No certificate: without signed ballots and what the proposal asks for, nothing can be proven to others."]
      : ["No certificate: a round without a decision proves nothing to others."];
  }
  const { proposal, certificate } = decision;
  if (certificate.kind === "commit") return describeCommit(certificate, decision);
  const unique =
    proposal.body.closing === "coordinator"
      ? "The coordinator signed that exactly these ballots were counted. A second certificate for this round needs a second such signature, and the two together convict the coordinator."
      : "No closing was signed: another selection of ballots may support another option.";
  return [
    `It proves: these voters signed these ballots for this question, and by the signed rules they give "${certificate.option}". Anyone can check it with the electorate alone.`,
    unique,
    "It does not prove: that no ballot was left out by the coordinator, or that the majority is right.",
    ...describeCustody(decision.electorate),
  ];
}

function describeCommit({ value, signatures, round }: CommitCertificate, { electorate }: TalliedRound): string[] {
  const outcome = value.option === null ? `nothing is decided (${value.status})` : `they give "${value.option}"`;
  const names = signatures.map(({ memberIndex }) => electorate.members[memberIndex]?.id ?? "").join(", ");
  return [
    `It proves: in round ${round} of the agreement more than two thirds of the weight (${names}) committed to exactly these ballots for this question; by the signed rules ${outcome}. Anyone can check it with the electorate alone.`,
    "No other outcome can be certified unless more than F_safe of the weight signs against the protocol. Two certificates of one round of the agreement convict more than a third by themselves (forensics, troupe verify a.json b.json); of different rounds, the members' transcripts do (exportTranscript, troupe verify --transcript).",
    "It does not prove that the majority is right. A ballot that reached no proposer in time may be missing.",
    ...describeCustody(electorate),
  ];
}

/** Who did what, by a piece of evidence, on one line. */
export function describeEvidence(evidence: TalliedRound["evidence"][number] | CoordinatorEquivocation): string {
  if (evidence.kind === "CoordinatorEquivocation")
    return `the coordinator signed two different ${evidence.statement}s of round ${evidence.round}`;
  if (evidence.kind === "DuplicateBallot") {
    const [one, other] = evidence.ballots.map(({ body }) => flatten(JSON.stringify(body.choice), 300));
    return `${evidence.voter} signed two different ballots: ${one ?? ""} and ${other ?? ""}`;
  }
  const names = evidence.culprits.join(", ");
  const deeds: Readonly<Record<typeof evidence.kind, string>> = {
    DuplicateProposal: "signed two different proposals of one round",
    DuplicatePrevote: "signed two different prevotes of one round",
    DuplicatePrecommit: "signed two different precommits of one round",
    WrongProposer: "signed a proposal out of turn",
    InvalidVote: "signed for a value that breaks the rules",
    Amnesia: "voted against a value they had committed to",
  };
  return `${names} ${deeds[evidence.kind]}`;
}

/**
 * A decision as a page a person understands: what was asked, what came out and why, who voted what with what weight,
 * the tally with its bounds, dissent, who was absent, evidence of faults, and what the certificate proves.
 * Shape: plain text with newlines, no colour; text from voters is stripped of control characters.
 * @example
 * ```ts
 * import { renderDecision, type Decision } from "troupe";
 * export function show(decision: Decision): void {
 *   console.log(renderDecision(decision));
 * }
 * ```
 */
export function renderDecision(decision: TalliedRound): string {
  const { proposal, dissent, absent, evidence, alternatives, assumptions } = decision;
  const outcome = decision.status === "decided" ? `DECIDED: ${decision.option}` : `UNDECIDED: ${decision.status}`;
  const lines = [
    `Question: ${flatten(proposal.body.question, 2_000)}`,
    `Options: ${proposal.body.options.map(({ id }) => flatten(id, 200)).join(" · ")}`,
    `Outcome: ${outcome}`,
    describeOutcome(decision),
    ...section(
      "Earlier rounds",
      decision.earlier.map(({ round, status, leading }) => {
        const ahead = leading === null ? "" : `; "${flatten(leading, 200)}" was ahead`;
        return `round ${round}: ${status}${ahead}; the next round added the endorsed alternatives`;
      }),
    ),
    ...section("Votes", decision.ballots.flatMap(describeBallot)),
    ...section("Tally", describeTally(decision)),
    ...section("Bounds", describeBounds(decision)),
    ...section(
      "Dissent",
      dissent.map(({ voter, weight, kind, recommendation }) => {
        const words = {
          against: "does not support the outcome",
          "prefers-other": "accepts the outcome",
          late: "voted otherwise, too late",
        };
        const advice =
          recommendation === null || recommendation === "abstain"
            ? ""
            : `; would rather: ${flatten(recommendation, 200)}`;
        return `${voter}, weight ${weight}: ${words[kind]}${advice}`;
      }),
    ),
    ...section(
      "Absent",
      absent.map(
        ({ voter, weight, reason, detail }) => `${voter}, weight ${weight}: ${reason} (${flatten(detail, 300)})`,
      ),
    ),
    ...section("Evidence of faults", evidence.map(describeEvidence)),
    ...section(
      "Alternatives proposed",
      alternatives.map(
        ({ id, description, weight, isEndorsed }) =>
          `${flatten(id, 200)} (weight ${weight}${isEndorsed ? ", endorsed" : ""}): ${flatten(description, reasoningShownMax)}`,
      ),
    ),
    ...section(
      "Warnings",
      assumptions.warnings.map(({ message }) => flatten(message, 1_000)),
    ),
    ...section("What the certificate proves", describeProof(decision)),
  ];
  return `${lines.join("\n")}\n`;
}
