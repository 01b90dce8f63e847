import { mutants, type Mutant } from "./mutants.ts";

const rules = "machines/consensus/bft/rules.ts";

/** One change of the product's code that CometBFT's scenarios notice; a schedule of the simulator may need luck to. */
export type ScenarioMutant = Pick<Mutant, "name" | "fault" | "edits">;

function changesOf(file: string) {
  return (name: string, fault: string, find: string, replace: string): ScenarioMutant => ({
    name,
    fault,
    edits: [{ file, find, replace }],
  });
}

const inRules = changesOf(rules);
const inTurn = changesOf("machines/consensus/bft/turn.ts");
const inKeeper = changesOf("machines/consensus/bft/vote-keeper.ts");
const inAdmission = changesOf("machines/consensus/bft/admission.ts");
const inCouncil = changesOf("machines/consensus/bft/council.ts");
const inStep = changesOf("machines/consensus/bft/step.ts");

const polkaPhase = 'if (to.hasPolka || (to.phase !== "prevote" && to.phase !== "precommit")) return false;';
const prevotePhase = 'if (heard < quorum || to.phase === "propose") return false;';
const decisive = "if (precommits.heard < to.council.quorum) continue;";
const usable = "if (weight < to.council.quorum || value === null || !isUsable(turn, value)) continue;";
const welcome = "known.isValid && (known.isAcceptable || to.round >= acceptableRoundsMax)";
const moved = "const isFree = to.lockedRound <= validRound || to.lockedValue === value;";
const kept = "if (vote.round > Math.max(to.round, 0) + roundsAheadMax && !isCertified) return;";
const timedOut = 'castVote(turn, "prevote", null);';

/** Faults beside those that the simulator is tried with. */
const own: readonly ScenarioMutant[] = [
  inAdmission(
    "turns-not-followed",
    "takes the first proposer's proposals in every round",
    "proposerOf(rules.council, proposal.round) !== proposal.voter",
    "proposerOf(rules.council, 0) !== proposal.voter",
  ),
  inAdmission(
    "strangers-vote",
    "takes votes of somebody without a seat",
    'if (council.weights[statement.voter] === undefined) return "unknownVoter";',
    "",
  ),
  inCouncil(
    "quorum-must-be-exceeded",
    "wants more than a quorum",
    "quorumOf(twoThirds, total)",
    "quorumOf(twoThirds, total) + 1",
  ),
  inRules("omissions-welcome", "prevotes for any valid value", welcome, "known.isValid"),
  inRules(
    "must-please-for-ever",
    "refuses what it does not like in every round",
    welcome,
    "known.isValid && known.isAcceptable",
  ),
  inStep(
    "proposes-too-late",
    "proposes after its prevote",
    'if (to.phase !== "propose" || to.round !== round || to.hasProposed) return;',
    "if (to.round !== round || to.hasProposed) return;",
  ),
  inStep(
    "fetched-values-ignored",
    "does not look at the content that it asked for",
    "return learnValue(turn, event.value, event.judgement);",
    "return;",
  ),
  inRules(
    "valid-value-forgotten",
    "asks for a new value though it knows a valid one",
    "} else if (to.validValue === null) {",
    "} else if (round >= 0) {",
  ),
  inRules(
    "waits-ring-in-later-steps",
    "prevotes again when the wait for a proposal is over",
    'if (kind === "propose" && to.phase === "propose") {',
    'if (kind === "propose") {',
  ),
  inRules(
    "prevotes-its-lock",
    "prevotes its lock where it heard no proposal",
    timedOut,
    timedOut.replace("null", "to.lockedValue"),
  ),
  inRules(
    "prevotes-for-a-polka",
    "prevotes for a polka where it heard no proposal",
    timedOut,
    timedOut.replace(
      "null",
      "findPolka(logOf(to.rounds, round)?.prevotes ?? noVotes, to.council.quorum)?.value ?? null",
    ),
  ),
  inRules(
    "older-polka-unlocks",
    "gives its lock up for an earlier polka",
    moved,
    "const isFree = to.lockedRound < 99;",
  ),
  inRules(
    "locks-never-open",
    "keeps its lock against a later polka",
    moved,
    "const isFree = to.lockedRound < 0 || to.lockedValue === value;",
  ),
  inRules(
    "locks-never-move",
    "stays locked on its first value",
    "to.lockedValue = value;",
    "to.lockedValue ??= value;",
  ),
  inRules(
    "relock-keeps-round",
    "stays locked in its first round",
    "to.lockedRound = to.round;",
    "if (to.lockedRound < 0) to.lockedRound = to.round;",
  ),
  inRules(
    "nil-polka-unlocks",
    "gives its lock up for a polka of nil",
    'fire(turn, "L44");',
    'fire(turn, "L44"); to.lockedRound = -1; to.lockedValue = null;',
  ),
  inRules(
    "late-polka-locks",
    "locks on a polka that it sees after its precommit",
    'fire(turn, "L42");',
    'fire(turn, "L42"); to.lockedRound = to.round; to.lockedValue = value;',
  ),
  inRules(
    "precommitted-see-no-polka",
    "overlooks polkas after its precommit",
    polkaPhase,
    'if (to.hasPolka || to.phase !== "prevote") return false;',
  ),
  {
    name: "polka-ends-propose",
    fault: "precommits a polka before it has prevoted",
    edits: [
      { file: rules, find: prevotePhase, replace: "if (heard < quorum) return false;" },
      { file: rules, find: polkaPhase, replace: "if (to.hasPolka) return false;" },
    ],
  },
  {
    name: "nil-polka-ends-propose",
    fault: "precommits nil before it has prevoted",
    edits: [
      { file: rules, find: prevotePhase, replace: "if (heard < quorum) return false;" },
      {
        file: rules,
        find: 'if (to.phase !== "prevote") return false;',
        replace: 'if (to.phase === "precommit") return false;',
      },
    ],
  },
  inRules(
    "polka-needs-proposal",
    "locks only on what was proposed in the same round",
    usable,
    usable.replace(
      "!isUsable(turn, value)",
      "!logOf(to.rounds, to.round)?.proposals.some((each) => each.value === value)",
    ),
  ),
  inRules(
    "polka-of-any-round",
    "takes prevotes of every round for those of the present one",
    "if (applyPrevotes(turn, log.prevotes)) return true;",
    "if (to.rounds.some((each) => applyPrevotes(turn, each.prevotes))) return true;",
  ),
  inRules(
    "unknown-values-count",
    "locks and decides on values that it does not hold",
    "return findValue(turn.to, value)?.isValid === true;",
    "return findValue(turn.to, value)?.isValid !== false;",
  ),
  inRules(
    "nil-needs-more",
    "wants more than a quorum for nil",
    "sum.value === null && sum.weight >= quorum",
    "sum.value === null && sum.weight > quorum",
  ),
  inRules(
    "next-round-at-once",
    "does not wait for late precommits",
    'setTimer(turn, "precommit");',
    "startRound(turn, to.round + 1);",
  ),
  inRules(
    "no-propose-step",
    "enters later rounds without waiting for a proposal",
    'to.phase = "propose";',
    'to.phase = round > 0 ? "prevote" : "propose";',
  ),
  inRules(
    "decides-on-any-quorum",
    "decides a value when a quorum has precommitted anything",
    "const sum = findPolka(precommits, to.council.quorum);",
    "const sum = precommits.sums.find((each) => each.value !== null);",
  ),
  inRules(
    "decides-this-round-only",
    "overlooks precommits of earlier rounds",
    decisive,
    `if (round !== to.round) continue; ${decisive}`,
  ),
  inRules(
    "nothing-fetched",
    "does not ask for certified values",
    'turn.effects.push({ type: "fetchValue", params: { value } });',
    "",
  ),
  inTurn(
    "early-proposals-dropped",
    "drops proposals of later rounds",
    "proposal.round > Math.max(to.round, 0) + roundsAheadMax",
    "proposal.round > Math.max(to.round, 0)",
  ),
  inTurn(
    "two-proposals-unnoticed",
    "tells nobody of two proposals of one member",
    "first !== undefined && log.proposals.length === 1",
    "first !== undefined && log.proposals.length < 0",
  ),
  inTurn("every-round-kept", "keeps votes of every later round", kept, ""),
  inTurn("certificates-not-kept", "drops certificates of later rounds", kept, kept.replace(" && !isCertified", "")),
  inKeeper(
    "second-votes-ignored",
    "drops the second vote of a double voter",
    "votesPerVoterMax = 2",
    "votesPerVoterMax = 1",
  ),
  inKeeper(
    "certificates-hold-anything",
    "puts every vote of the round into a certificate",
    "vote.value === content.value && vote.validRound === content.validRound",
    "vote !== content",
  ),
];

/** Every fault by its name. */
export const scenarioMutants: ReadonlyMap<string, ScenarioMutant> = new Map(
  [...mutants, ...own].map((mutant) => [mutant.name, mutant]),
);
