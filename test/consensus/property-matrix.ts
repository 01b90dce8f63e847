import { beyondBound, type Shown } from "./fault-matrix.ts";

/** What must hold whatever happens, and the tests that show it. */
export interface PropertyRow {
  readonly property: string;
  readonly holds: string;
  readonly shown: readonly Shown[];
}

const replica = "consensus/replica";
const agreement = "consensus/agreement";
const tally = "machines/consensus/tally-properties";
const table = "machines/consensus/bft/table";
const forensics = "machines/consensus/bft/forensics";
const simulated = "simulation/faults";
const schedules = "simulation/schedules";
const testimony = "simulation/testimony";
const campaign: Shown = [schedules, "runs ${schedules} schedules without a violation, on every line of the paper"];

/** The properties. Source: consensus design §5. */
export const properties: readonly PropertyRow[] = [
  {
    property: "P1",
    holds: "no two correct members decide differently",
    shown: [campaign, [simulated, "rows 16 and 17: up to F_safe %s never makes two members disagree"]],
  },
  {
    property: "P2",
    holds: "only valid values are decided",
    shown: [
      campaign,
      [table, "L22: a new proposal is prevoted for, or nil where it is invalid, unacceptable or against the lock"],
    ],
  },
  {
    property: "P3",
    holds: "a member decides once, on the weight of distinct voters",
    shown: [campaign, [agreement, "names each fault by itself"]],
  },
  { property: "P4", holds: "it ends at most 2n+4 rounds after the network is stable", shown: [campaign] },
  {
    property: "P5",
    holds: "every certificate holds in a second, independent reading",
    shown: [campaign, [tally, "agrees with the verifier's own recount on every scene"]],
  },
  {
    property: "P6",
    holds: "every disagreement convicts more than a third",
    shown: [
      beyondBound,
      [testimony, "convicts more than a third of the weight in every disagreement, and nobody honest (P6, P7)"],
    ],
  },
  {
    property: "P7",
    holds: "nobody honest is accused",
    shown: [
      beyondBound,
      [
        forensics,
        "pairwiseAmnesiaFrames: only the next polka convicts; a later one would accuse a member that moved its lock",
      ],
      [testimony, "convicts nobody honest by a part of it, by what faulty members leave out, or by what others change"],
    ],
  },
  {
    property: "P8",
    holds: "a lock never goes back",
    shown: [campaign, [table, "L28: a lock of a later round than the polka stands"]],
  },
  {
    property: "P9",
    holds: "nobody correct signs two contents of one place, across restarts",
    shown: [campaign, [replica, "with its store %s signs nothing twice, and decides with the others"]],
  },
  {
    property: "P10",
    holds: "the same seed gives the same trace",
    shown: [[schedules, "gives the same trace for the same seed, and another one for another seed (P10)"]],
  },
  {
    property: "P11",
    holds: "order and repetition do not change a tally",
    shown: [
      [tally, "P11: any order and any number of copies of the same ballots give the same result, evidence and closing"],
      [tally, "P11: three different ballots of one voter are the same evidence in every order of arrival"],
    ],
  },
  {
    property: "P12",
    holds: "a ballot for an option never hurts it (single and approval)",
    shown: [[tally, "P12: one more ballot for the winner never hurts it (single and approval, without a gate)"]],
  },
  {
    property: "P13",
    holds: "all weights times k change nothing",
    shown: [[tally, "P13: weights times k give the same outcome, scores and order"]],
  },
  {
    property: "P14",
    holds: "the XState charts do what the cores do",
    shown: [
      [
        "machines/consensus/bft/machine",
        "gives the same effects, phases and contexts as the core over ${schedules} schedules, on every arrow (P14)",
      ],
      [
        "machines/consensus/machine",
        "gives the same state and effects as the core over ${schedules} random schedules (P14)",
      ],
    ],
  },
];
