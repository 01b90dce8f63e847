/** One change of the product's code that a simulator worth its name must notice. */
export interface Mutant {
  readonly name: string;
  /** What the changed code does wrong, in a few words. */
  readonly fault: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** The first seed found that kills it, and the rule that it breaks there. */
  readonly seed: number;
  readonly rule: string;
}

const rules = "machines/consensus/bft/rules.ts";
const turn = "machines/consensus/bft/turn.ts";
const keeper = "machines/consensus/bft/vote-keeper.ts";
const admission = "machines/consensus/bft/admission.ts";
const council = "machines/consensus/bft/council.ts";
const step = "machines/consensus/bft/step.ts";
const state = "machines/consensus/bft/state.ts";

/** Consensus design §5, with the mutants to add, and a few of our own. */
export const mutants: readonly Mutant[] = [
  {
    name: "no-lock-check",
    fault: "prevotes for a new value in spite of its lock",
    edits: [{ file: rules, find: "isWelcome && isFree ? value", replace: "isWelcome ? value" }],
    seed: 5386,
    rule: "P1",
  },
  {
    name: "polka-not-checked",
    fault: "believes a proposal's valid round without its polka",
    edits: [
      {
        file: rules,
        find: "if (findPolka(prevotes, to.council.quorum, value) === undefined) return false;",
        replace: "",
      },
    ],
    seed: 26127,
    rule: "P1",
  },
  {
    name: "half-quorum",
    fault: "takes more than a half for a quorum",
    edits: [{ file: council, find: "quorumOf(twoThirds, total)", replace: "Math.floor(total / 2) + 1" }],
    seed: 3,
    rule: "P5",
  },
  {
    name: "quorum-at-two-thirds",
    fault: "takes exactly two thirds for a quorum",
    edits: [
      { file: council, find: "quorumOf(twoThirds, total)", replace: "Math.ceil((2 * total) / 3)" },
      {
        file: admission,
        find: "3 * weight > 2 * rules.council.total",
        replace: "3 * weight >= 2 * rules.council.total",
      },
    ],
    seed: 4,
    rule: "P5",
  },
  {
    name: "duplicates-counted",
    fault: "counts the same vote again",
    edits: [{ file: keeper, find: "if (isSameContent(other, vote)) return undefined;", replace: "" }],
    seed: 1,
    rule: "P5",
  },
  {
    name: "nil-as-value",
    fault: "accepts nil as a value",
    edits: [
      {
        file: "src/testing/simulation/member.ts",
        find: "value.charAt(0)",
        replace: '(value ?? "nil").charAt(0)',
      },
      { file: admission, find: 'if (claim.value === null) return { row: "malformed" };', replace: "" },
      { file: admission, find: "value: claim.value };", replace: "value: claim.value as string };" },
      { file: rules, find: "value === null || !isUsable(turn, value)", replace: "!isUsable(turn, value as string)" },
      { file: rules, find: "to.validValue === null", replace: "to.validRound < 0" },
    ],
    seed: 10,
    rule: "P4",
  },
  {
    name: "one-proposal-cached",
    fault: "keeps one proposal per round and fetches nothing",
    edits: [
      { file: keeper, find: "proposalsPerRoundMax = 2", replace: "proposalsPerRoundMax = 1" },
      { file: rules, find: 'turn.effects.push({ type: "fetchValue", params: { value } });', replace: "" },
      { file: step, find: "learnValue(turn, event.commit.value, event.judgement);", replace: "" },
    ],
    seed: 6,
    rule: "P4",
  },
  {
    name: "signatures-not-checked",
    fault: "believes every signature",
    edits: [
      {
        file: admission,
        find: 'return verify(statement) ? "admitted" : "forged";',
        replace: 'void verify; return "admitted";',
      },
    ],
    seed: 4,
    rule: "P5",
  },
  {
    name: "scope-not-checked",
    fault: "counts votes of another decision",
    edits: [
      {
        file: admission,
        find: 'if (statement.decision !== council.decision || statement.electorate !== council.electorate) return "stale";',
        replace: "",
      },
    ],
    seed: 4,
    rule: "P7",
  },
  {
    name: "polka-ignores-valid-round",
    fault: "adds up prevotes that lean on different polkas",
    edits: [
      {
        file: keeper,
        find: "(sum) => sum.value === vote.value && sum.validRound === vote.validRound",
        replace: "(sum) => sum.value === vote.value",
      },
    ],
    seed: 172,
    rule: "P5",
  },
  {
    name: "skip-at-one",
    fault: "skips to a round that a single member claims",
    edits: [
      { file: turn, find: "return 3 * weight > council.total;", replace: "return weight > 0 && council.total > 0;" },
    ],
    seed: 136,
    rule: "P4",
  },
  {
    name: "old-timers-ring",
    fault: "obeys timers of earlier rounds",
    edits: [{ file: rules, find: "if (round !== to.round) return;", replace: "" }],
    seed: 1203,
    rule: "P9",
  },
  {
    name: "certificate-counts-twice",
    fault: "counts a member as often as a certificate names it",
    edits: [
      {
        file: admission,
        find: "vote.validRound !== votes[0]?.validRound || vote.voter <= before",
        replace: "vote.validRound !== votes[0]?.validRound",
      },
      {
        file: keeper,
        find: "if (isSameContent(other, vote)) return undefined;",
        replace: "if (isSameContent(other, vote) && !given.isCertified) return undefined;",
      },
    ],
    seed: 1,
    rule: "P7",
  },
  {
    name: "lock-not-durable",
    fault: "comes back from a crash without its lock",
    edits: [
      { file: step, find: "to.lockedRound = durable.lockedRound;", replace: "" },
      { file: step, find: "to.lockedValue = durable.lockedValue;", replace: "" },
    ],
    seed: 3,
    rule: "P8",
  },
  {
    name: "votes-not-durable",
    fault: "comes back from a crash without the votes it signed",
    edits: [
      {
        file: step,
        find: "durable.own.map(({ kind }) => kind)",
        replace: "durable.own.slice(0, 0).map(({ kind }) => kind)",
      },
    ],
    seed: 10,
    rule: "P9",
  },
  {
    name: "equivocators-count-double",
    fault: "counts an equivocator's weight once per vote",
    edits: [{ file: keeper, find: "known > 0 ? set.heard : set.heard + weight", replace: "set.heard + weight" }],
    seed: 6,
    rule: "P3",
  },
  {
    name: "any-proposer",
    fault: "takes proposals from members whose turn it is not",
    edits: [
      {
        file: admission,
        find: "if (proposerOf(rules.council, proposal.round) !== proposal.voter) {",
        replace: "if (proposerOf(rules.council, proposal.round) < 0) {",
      },
    ],
    seed: 307,
    rule: "P7",
  },
  {
    name: "invalid-values-welcome",
    fault: "prevotes for values that break the rules",
    edits: [
      { file: rules, find: "known.isValid && (known.isAcceptable", replace: "(known.isAcceptable" },
      {
        file: rules,
        find: "return findValue(turn.to, value)?.isValid === true;",
        replace: "return findValue(turn.to, value) !== undefined;",
      },
    ],
    seed: 109,
    rule: "P7",
  },
  {
    name: "locks-stay-hidden",
    fault: "does not tell others the polka of its lock",
    edits: [
      { file: rules, find: "if (polka.length > 0) turn.effects", replace: "if (polka.length < 0) turn.effects" },
      { file: rules, find: "polka: polkaOf(to), entry", replace: "polka: [], entry" },
      {
        file: rules,
        find: "params: { round, value, validRound, polka }",
        replace: "params: { round, value, validRound, polka: [] }",
      },
    ],
    seed: 63,
    rule: "P4",
  },
  {
    name: "no-round-skip",
    fault: "never skips to the round of the others",
    edits: [
      { file: rules, find: "if (target === round) return false;", replace: "if (target >= round) return false;" },
    ],
    seed: 562,
    rule: "P4",
  },
  {
    name: "entry-not-told",
    fault: "does not show others why it is in its round",
    edits: [
      {
        file: state,
        find: "=> vote !== null && vote.round >= round)]",
        replace: "=> vote !== null && vote.round >= round)].slice(0, 0)",
      },
    ],
    seed: 455,
    rule: "P4",
  },
];
