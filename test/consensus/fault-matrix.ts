/** A test by its file, below `test/` and without `.test.ts`, and its title. */
export type Shown = readonly [file: string, title: string];

/** What faulty members, a faulty network or faulty machines do, what must happen then, and the tests that show it. */
export interface FaultRow {
  readonly row: number;
  readonly fault: string;
  readonly expected: string;
  readonly shown: readonly Shown[];
}

const decide = "consensus/decide";
const replica = "consensus/replica";
const parted = "consensus/partition";
const agreement = "consensus/agreement";
const seven = "consensus/panel-of-seven";
const certificate = "consensus/certificate";
const secrecy = "consensus/secrecy";
const admission = "machines/consensus/admission";
const tally = "machines/consensus/tally";
const tallyProperties = "machines/consensus/tally-properties";
const table = "machines/consensus/bft/table";
const faults = "machines/consensus/bft/faults";
const votes = "machines/consensus/bft/admission";
const forensics = "machines/consensus/bft/forensics";
const simulated = "simulation/faults";
/** The test of what happens beyond the bounds, which is about two properties too. */
export const beyondBound: Shown = [
  simulated,
  "row 18: beyond F_safe disagreements happen, and each convicts more than a third and nobody honest (P6, P7)",
];

/** The fault matrix. Source: consensus design §5. */
export const faultMatrix: readonly FaultRow[] = [
  {
    row: 1,
    fault: "crash before or after the ballot, at each step",
    expected: "the others decide; the crashed weight is absent",
    shown: [
      [simulated, "1 and 28: crashes at each step, and comes back with what was durable"],
      [decide, "does not wait for the timeout when a voter fails; the failure is data"],
      [agreement, "goes on when one fails, and ends at once without a certificate when too few took part"],
    ],
  },
  {
    row: 2,
    fault: "silent for ever, with F_live or more",
    expected: "up to F_live decided; above it nothing is decided, nobody disagrees, and it can go on",
    shown: [
      [simulated, "2: silent for ever"],
      [seven, "decides nothing where the three hold more than F_live, and never what the liar wants"],
      [parted, "decides nothing, and decides as soon as enough of them are back"],
    ],
  },
  {
    row: 3,
    fault: "a proposer shows each half another proposal",
    expected: "agreement after some more rounds; every correct member holds the proof",
    shown: [
      [parted, "is convicted of two proposals by every correct member, and the others agree"],
      [simulated, "3 to 5: an equivocating proposer and voters"],
      [faults, "that hears two proposals of one round convicts the proposer and prevotes once (fault matrix, row 3)"],
    ],
  },
  {
    row: 4,
    fault: "a voter signs two ballots, prevotes or precommits",
    expected: "its ballots count for nothing, its votes each in their own set; evidence",
    shown: [
      [admission, "keeps two different ballots of one voter as equivocation: void for options and for participation"],
      [agreement, "convicts a voter that signs two ballots and two votes, and counts none of them"],
      [table, "V3: both votes of an equivocator count, each in its own set, a third only in a certificate (C1)"],
    ],
  },
  {
    row: 5,
    fault: "each side sees only one of two votes",
    expected: "after healing every correct member holds the evidence",
    shown: [
      [parted, "is convicted at every correct member, once the two sides show each other why they are where they are"],
      [parted, "is convicted by all where one member alone heard both votes, for that one shows them"],
    ],
  },
  {
    row: 6,
    fault: "the last revealer withholds his ballot",
    expected: "withheld; the result does not depend on his choice",
    shown: [[secrecy, "leave the last revealer only his own vote to lose (fault matrix, row 6)"]],
  },
  {
    row: 7,
    fault: "a ballot one millisecond before or after the close",
    expected: "counted or late, the same on replay",
    shown: [
      [
        "machines/consensus/collect",
        "counts a ballot one millisecond before the close and not one after, identically on replay (fault matrix, row 7)",
      ],
      [admission, "counts a ballot at the closing time, and lists one a millisecond later as late"],
    ],
  },
  {
    row: 8,
    fault: "delays around every timeout, in every round",
    expected: "waits grow by the round; it ends when the network is stable",
    shown: [
      [faults, "whose waits are always a little too short waits longer in each round (fault matrix, row 8)"],
      [simulated, "row 8: messages just within the slowest delay only cost rounds"],
    ],
  },
  {
    row: 9,
    fault: "replays from another round, decision, electorate or kind of message",
    expected: "dropped; nothing changes",
    shown: [
      [
        admission,
        "drops a replay from another decision, round, electorate or proposal as stale, though its signature holds",
      ],
      [admission, "drops a signature made for another kind of message as forged (domain tag)"],
      [votes, "a replay from another decision"],
      [votes, "a replay from another electorate"],
      [replica, "read foreign messages as data: whatever is malformed or of another decision changes nothing"],
    ],
  },
  {
    row: 10,
    fault: "forged signatures, other keys, S + L, keys of small order",
    expected: "dropped; each costs one check, as a good one does",
    shown: [
      [admission, "drops a bad signature as forged: changed bits, another member's key, changed content, or S + L"],
      [
        "consensus/ed25519",
        "refuses every combination of small-order and non-canonical keys and points (trap verifierDivergence)",
      ],
      [votes, "refuses a vote whose content is not the one that was signed, in each of its fields"],
      [admission, "checks a forged signature once, as it does a good one"],
    ],
  },
  {
    row: 11,
    fault: "weight stated in a ballot; a certificate that is unsorted or names a member twice",
    expected: "refused",
    shown: [
      [admission, "drops a ballot that states a weight as weightClaim: weight is read from the electorate only"],
      [
        certificate,
        "refuses a certificate whose ballots are repeated, unsorted, missing or added (fault matrix, rows 11 and 13)",
      ],
      [agreement, "names each fault by itself"],
      [votes, "a member twice"],
      [votes, "unsorted"],
    ],
  },
  {
    row: 12,
    fault: "unknown option, an option twice, empty ranking, confidence that is no number",
    expected: "malformed, before any signature is checked",
    shown: [
      [admission, "drops what is no ballot as malformed, before any signature is checked"],
      [admission, "drops an approval that names an option twice as malformed"],
    ],
  },
  {
    row: 13,
    fault: "somebody joins midway; a certificate with a made-up member",
    expected: "refused: the electorate's digest is part of what is signed",
    shown: [
      [admission, "drops a ballot of somebody who is not in the electorate as unknownVoter"],
      [certificate, "refuses another electorate: weights, keys and members are part of what was signed"],
      [votes, "a phantom member"],
    ],
  },
  {
    row: 14,
    fault: "a minority or an even half is cut off, and comes back",
    expected: "no decision in a minority, a single one after healing",
    shown: [
      [parted, "decides nothing in either half of an even split, and one thing in both when it is mended"],
      [parted, "goes on without a minority, which decides nothing by itself and the same when it is back"],
      [simulated, "14: both sides of a partition are told what they like"],
    ],
  },
  {
    row: 15,
    fault: "messages out of order, repeated, lost and sent again",
    expected: "the same decision as in order; where one is lost or later than a wait, perhaps a later round's value",
    shown: [
      [simulated, "row 15: loss and repetition keep nobody from the one decision"],
      [
        simulated,
        "row 15: out of order and repeated, none later than the shortest wait, the same is decided as in order (%s)",
      ],
      [
        tallyProperties,
        "P11: any order and any number of copies of the same ballots give the same result, evidence and closing",
      ],
    ],
  },
  {
    row: 16,
    fault: "exactly a third is faulty, silent or active",
    expected: "never a disagreement; no decision where it is silent",
    shown: [
      [simulated, "rows 16 and 17: up to F_safe %s never makes two members disagree"],
      [simulated, "row 16: with more than F_live silent nobody decides"],
      [votes, "need more than two thirds where the weight divides by three"],
    ],
  },
  {
    row: 17,
    fault: "F_safe above a third is faulty",
    expected: "never a disagreement; an end is not promised",
    shown: [[simulated, "rows 16 and 17: up to F_safe %s never makes two members disagree"]],
  },
  {
    row: 18,
    fault: "more than F_safe is faulty and splits, forgets or makes up polkas",
    expected: "a disagreement convicts more than a third and nobody honest",
    shown: [
      beyondBound,
      [
        "consensus/agreement-ends",
        "ends in conflict where they make two members decide differently, and convicts both liars and nobody else",
      ],
      [forensics, "across rounds convicts whoever forgot its lock, in whichever order the commits come"],
    ],
  },
  {
    row: 19,
    fault: "votes against its lock",
    expected: "agreement; forensics beyond the bound",
    shown: [
      [simulated, "19: votes against its lock"],
      [forensics, "across rounds convicts whoever forgot its lock, in whichever order the commits come"],
    ],
  },
  {
    row: 20,
    fault: "claims a polka that is not",
    expected: "no vote for it; agreement",
    shown: [
      [simulated, "20: claims a polka that is not"],
      [votes, "refuses a polka that is not about this value and round"],
    ],
  },
  {
    row: 21,
    fault: "proposes nil",
    expected: "malformed; no livelock",
    shown: [
      [simulated, "21: proposes nil"],
      [votes, "nilValueLivelock: drops a proposal of nil, so that nobody can ever lock it"],
    ],
  },
  {
    row: 22,
    fault: "floods with proposals, votes and far rounds",
    expected: "memory stays bounded; it still ends",
    shown: [
      [simulated, "22: floods with distinct statements and far rounds"],
      [table, "keeps the memory of a flood within its bounds"],
      [table, "boundedProposalCache: a third proposal is not kept, but fetched once a quorum stands behind its value"],
    ],
  },
  {
    row: 23,
    fault: "twins: two honest instances with one key",
    expected: "agreement; evidence",
    shown: [[simulated, "23: twins with one key"]],
  },
  {
    row: 24,
    fault: "one correct member is locked alone, then silence",
    expected: "it ends",
    shown: [
      [simulated, "24: shows a polka to one member alone and falls silent"],
      [table, "H1: a polka of an earlier round becomes the valid value, and is shown on entering a round"],
    ],
  },
  {
    row: 25,
    fault: "a liar or a whole group at confidence 1",
    expected: "cannot pass the threshold nor lift the median; changes the score only",
    shown: [
      [tally, "is not moved by a minority of liars at full confidence (fault matrix, row 25)"],
      [tally, "ranks only what passed: confidence never makes a quorum"],
    ],
  },
  {
    row: 26,
    fault: "a proposer leaves out ballots that would turn the outcome",
    expected: "prevoted nil in the first rounds",
    shown: [
      [
        replica,
        "do not prevote at first for a value that leaves out ballots which would turn it (fault matrix, row 26)",
      ],
      [table, "L22: from round 3 on a proposal need not please, only be valid"],
    ],
  },
  {
    row: 27,
    fault: "the coordinator lies: two proposals, two results, ballots left out",
    expected: "no second certificate of a single choice; evidence",
    shown: [
      ["consensus/rounds", "convicts two closings of one round, and nothing else"],
      [
        certificate,
        "is impossible for a single choice with one double voter of five, whichever ballots are put together (B4)",
      ],
      [certificate, "is impossible for approvals without a second closing signed by the coordinator"],
      ["consensus/receipts", "is convicted by the receipt and the certificate, which any changed part of spoils"],
      ["troupe/remote-vote", "hold the coordinator's receipt for their ballots before the vote is over"],
    ],
  },
  {
    row: 28,
    fault: "crash and restart with the store intact, cut off or lost",
    expected: "nothing is signed twice; a cut-off record is ignored; whoever forgot is silent",
    shown: [
      [replica, "with its store %s signs nothing twice, and decides with the others"],
      [replica, "with its store %s stays silent, and the others decide without it"],
      [replica, "falls silent when its store refuses a record, and nothing of that record leaves"],
    ],
  },
  {
    row: 29,
    fault: "clocks an hour apart, or that jump by an hour and back",
    expected: "only the time it takes changes",
    shown: [
      [replica, "decide alike although their clocks differ by an hour (fault matrix, row 29)"],
      [
        replica,
        "decide alike although their clocks jump an hour in the middle and back, %s the close (fault matrix, row 29)",
      ],
    ],
  },
  {
    row: 30,
    fault: "a model answers with prose, extra keys, a megabyte, or instructions",
    expected: "one repair attempt, then an abstention; text is never a vote",
    shown: [
      [decide, "are asked for once more, with the problem in words"],
      [decide, "become an abstention the second time: text is never read as a vote (fault matrix, row 30)"],
      [decide, "never let the text of one voter speak for another option (prompt injection)"],
    ],
  },
];
