import type { Scenario } from "./transcript.ts";

/** What moves a member from round to round, and what decides. */
export const rounds: readonly Scenario[] = [
  {
    name: "waitingTimeoutOnNilPolka",
    shows: "a quorum of nil precommits is waited out before the next round begins",
    rule: "L47, L65",
    broken: ["next-round-at-once"],
    script: `
    start                    => L20, round 0, wait propose
    p0 p1 p2: precommit nil  => L47, wait precommit
    state                    => propose in round 0, no lock, nothing valid
    timer precommit          => L65 L20, round 1, wait propose`,
  },
  {
    name: "waitingTimeoutProposeOnNewRound",
    shows: "a member that skips to a round where all prevoted nil waits for the proposal before it prevotes",
    rule: "L55, L57",
    broken: ["no-propose-step", "nil-polka-ends-propose"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1 p2: prevote nil in 1 => L55 L20, round 1, wait propose
    state                    => propose in round 1, no lock, nothing valid
    timer propose            => L57 L44, prevote nil, precommit nil`,
  },
  {
    name: "roundSkipOnNilPolkaFromHigherRound",
    shows:
      "a member follows more than a third into a later round, and its quorum of nil precommits is waited out there",
    rule: "L55, L47, L65",
    broken: ["no-round-skip", "skip-at-one", "old-timers-ring"],
    differs: "CometBFT precommits nil on entering; here the member may still prevote in that round",
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0: precommit nil in 1   => nothing
    p1: precommit nil in 1   => L55 L20, round 1, wait propose
    timer prevote in 0       => nothing
    timer propose in 0       => nothing
    timer precommit in 0     => nothing
    p2: precommit nil        => L47, wait precommit
    timer precommit          => L65 L20, round 2, wait propose`,
  },
  {
    name: "waitTimeoutProposeOnNilPolkaForTheCurrentRound",
    shows: "a nil polka of the present round does not end the wait for its proposal",
    rule: "L57, L44",
    broken: ["nil-polka-ends-propose"],
    script: `
    start                    => L20, round 0, wait propose
    p0 p1 p2: prevote nil    => nothing
    timer propose            => L57 L44, prevote nil, precommit nil`,
  },
  {
    name: "finalizeBlockCalled",
    shows: "precommits for nil decide nothing, with one for a value among them too; those for a value do",
    rule: "L49",
    broken: ["decides-on-any-quorum"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0: precommit A          => nothing
    p1 p2: precommit nil     => L47, wait precommit
    timer precommit          => L65 L20, round 1, wait propose
    p1: propose B            => L22, prevote B
    p0 p1: precommit B       => nothing
    p2: precommit B          => L49, decide B@1 by p0 p1 p2`,
  },
  {
    name: "emitNewValidBlockEventOnCommitWithoutBlock",
    shows: "a quorum of precommits for a value that is not held is no decision yet: the value is asked for",
    rule: "L49, C1",
    broken: ["nothing-fetched", "unknown-values-count"],
    script: `
    start                    => L20, round 0, wait propose
    p0 p1: prevote nil in 1  => L55 L20, round 1, wait propose
    p0 p1 p2: precommit A    => L47, wait precommit, fetch A
    state                    => propose in round 1, no lock, nothing valid
    learn A                  => L49, decide A@1 by p0 p1 p2`,
  },
  {
    name: "commitFromPreviousRound",
    shows: "a quorum of precommits of an earlier round decides, as soon as the value is there",
    rule: "L49",
    broken: ["decides-this-round-only"],
    script: `
    start                      => L20, round 0, wait propose
    p0 p1: prevote nil in 1    => L55 L20, round 1, wait propose
    p0 p1 p2: precommit A in 0 => fetch A
    p0: propose A in 0         => L49, decide A@0 by p0 p1 p2`,
  },
  {
    name: "stateHalt1",
    shows: "a last precommit that comes when the next round has begun decides, as it may have done elsewhere",
    rule: "L49",
    broken: ["decides-this-round-only"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1: prevote A         => L36, lock A@0, valid A@0, precommit A
    p0: precommit nil        => nothing
    p1: precommit A          => L47, wait precommit
    timer precommit          => L65 L20, round 1, show A@0, wait propose
    timer propose            => L57, prevote nil
    p2: precommit A in 0     => L49, decide A@0 by p1 p2 p3
    timer prevote            => nothing
    p0: show A in 0 by p0 p1 p2 => tell p0 the decision`,
  },
  {
    name: "doubleSigning",
    shows:
      "a member that crashed after its prevote comes back in that step, and signs no other one for another proposal",
    rule: "the vote store",
    broken: ["votes-not-durable", "lock-not-durable"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    restart                  => round 0, say it again
    p0: propose B            => nothing
    timer propose            => nothing
    learn A                  => nothing
    p0 p1: prevote A         => L36, lock A@0, valid A@0, precommit A
    restart                  => L42, round 0, lock A@0, valid A@0, say it again
    timer prevote            => nothing
    p0 p1: prevote nil       => convict p0 of DuplicatePrevote, convict p1 of DuplicatePrevote
    p0 p1: precommit A       => L49, decide A@0 by p0 p1 p3`,
  },
];
