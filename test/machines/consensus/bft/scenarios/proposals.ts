import type { Scenario } from "./transcript.ts";

/** CometBFT's proposal and full-round suites, and what becomes of values that were valid once. */
export const proposals: readonly Scenario[] = [
  {
    name: "stateProposerSelection0",
    shows: "round 0 has one proposer, and whoever else signs a proposal for it is convicted",
    rule: "L20, WrongProposer",
    broken: ["any-proposer"],
    script: `
    start                    => L20, round 0, wait propose
    p1: propose A            => refuse as wrongProposer, convict p1 of WrongProposer
    p0: propose A            => L22, prevote A`,
  },
  {
    name: "stateProposerSelection2",
    shows: "each later round has another proposer, until everybody has had a turn",
    rule: "L18, L20",
    broken: ["turns-not-followed"],
    script: `
    start                    => L20, round 0, wait propose
    p0 p1: prevote nil in 2  => L55 L20, round 2, wait propose
    p1: propose A            => refuse as wrongProposer, convict p1 of WrongProposer
    p2: propose A            => L22, prevote A, L34, wait prevote
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L18, round 3, build a value, wait propose
    p2: propose B            => refuse as wrongProposer, convict p2 of WrongProposer
    built B                  => L18, propose B, L22, prevote B
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 4, wait propose
    p0: propose C            => L22, prevote C`,
  },
  {
    name: "stateEnterProposeNoPrivValidator",
    shows:
      "a proposer that has nothing to propose waits like everybody else, prevotes nil, and proposes nothing afterwards",
    rule: "L18, L57",
    broken: ["proposes-too-late"],
    differs: "CometBFT's is a node without a key; one without a seat says nothing here at all",
    turn: 0,
    script: `
    start                    => L18, round 0, build a value, wait propose
    timer propose            => L57, prevote nil
    built A                  => nothing
    state                    => prevote in round 0, no lock, nothing valid`,
  },
  {
    name: "stateEnterProposeYesPrivValidator",
    shows: "a proposer with a value proposes it, prevotes it, and its wait is over",
    rule: "L18, L22",
    broken: ["waits-ring-in-later-steps"],
    turn: 0,
    script: `
    start                    => L18, round 0, build a value, wait propose
    built A                  => L18, propose A, L22, prevote A
    timer propose            => nothing`,
  },
  {
    name: "stateBadProposal",
    shows: "a value that breaks the rules is prevoted and precommitted nil, and convicts whoever signed for it",
    rule: "L22, InvalidVote",
    broken: ["invalid-values-welcome"],
    differs: "CometBFT only prevotes nil; here a signature for an invalid value is evidence",
    script: `
    start                    => L20, round 0, wait propose
    p0: propose nil          => refuse as malformed
    p0: propose !A           => L22, convict p0 of InvalidVote, prevote nil
    p0 p1: prevote !A        => convict p0 of InvalidVote, L34, convict p1 of InvalidVote, wait prevote
    timer prevote            => L61, precommit nil
    p2: prevote !A           => convict p2 of InvalidVote
    state                    => precommit in round 0, no lock, nothing valid`,
  },
  {
    name: "processProposalAccept",
    shows: "a valid value is prevoted where it is acceptable too; from round 3 on it need not be",
    rule: "L22",
    broken: ["omissions-welcome", "must-please-for-ever"],
    differs:
      "CometBFT asks the application; here a value is not acceptable that leaves out ballots which would turn it",
    script: `
    start                    => L20, round 0, wait propose
    p0: propose ~A           => L22, prevote nil
    p0 p1: prevote nil in 1  => L55 L20, round 1, wait propose
    p1: propose B            => L22, prevote B, L34, wait prevote
    p0 p1: prevote nil in 4  => L55 L20, round 4, wait propose
    p0: propose ~A           => L22, prevote ~A`,
  },
  {
    name: "stateFullRound1",
    shows: "a member alone goes through propose, prevote, precommit and decision by itself",
    rule: "L18, L22, L36, L49",
    broken: ["quorum-must-be-exceeded"],
    members: 1,
    turn: 0,
    script: `
    start                    => L18, round 0, build a value, wait propose
    built A                  => L18, propose A, L22, prevote A, L36, lock A@0, valid A@0, precommit A, L49, decide A@0 by p0`,
  },
  {
    name: "stateFullRoundNil",
    shows: "a round without a proposal is prevoted and precommitted nil, and the next one begins",
    rule: "L57, L44, L47, L65",
    broken: ["quorum-must-be-exceeded", "nil-needs-more"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose nil          => refuse as malformed
    timer propose            => L57, prevote nil
    p0 p1: prevote nil       => L44, precommit nil
    p0 p1: precommit nil     => L47, wait precommit
    timer precommit          => L65 L20, round 1, wait propose`,
  },
  {
    name: "stateFullRound2",
    shows: "each step waits for more than two thirds, and exactly two thirds are not enough",
    rule: "L36, L49",
    broken: ["quorum-at-two-thirds", "half-quorum"],
    members: 6,
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1 p2: prevote A      => nothing
    p4: prevote A            => L36, lock A@0, valid A@0, precommit A
    p0 p1 p2: precommit A    => nothing
    p4: precommit A          => L49, decide A@0 by p0 p1 p2 p3 p4`,
  },
  {
    name: "stateMissingProposalValidBlockReceivedTimeout",
    shows:
      "a member that missed the proposal, but has a polka and its value, waits for the proposal, prevotes nil, and only then precommits",
    rule: "L57, L36",
    broken: ["polka-ends-propose", "prevotes-for-a-polka"],
    script: `
    start                    => L20, round 0, wait propose
    p0 p1 p2: prevote A      => fetch A
    learn A                  => nothing
    timer propose            => L57 L36, lock A@0, valid A@0, prevote nil, precommit A`,
  },
  {
    name: "stateMissingProposalValidBlockReceivedPrecommit",
    shows: "a member that missed the proposal locks on the polka and precommits it as soon as it has its value",
    rule: "L36",
    broken: ["fetched-values-ignored", "polka-needs-proposal"],
    script: `
    start                    => L20, round 0, wait propose
    p0 p1 p2: prevote A      => fetch A
    timer propose            => L57 L34, prevote nil, wait prevote
    learn A                  => L36, lock A@0, valid A@0, precommit A`,
  },
  {
    name: "proposeValidBlock",
    shows: "a member whose turn comes again proposes the value it saw a polka for, with that round",
    rule: "L11",
    broken: ["valid-value-forgotten"],
    turn: 0,
    script: `
    start                        => L18, round 0, build a value, wait propose
    built A                      => L18, propose A, L22, prevote A
    p1 p2: prevote A             => L36, lock A@0, valid A@0, precommit A
    p1 p2 p3: precommit nil      => L47, wait precommit
    timer precommit              => L65 L20, round 1, show A@0, wait propose
    timer propose                => L57, prevote nil
    p1 p2 p3: precommit nil in 3 => L55 L20, round 3, show A@0, wait propose, L47, wait precommit
    timer precommit              => L65 L11, round 4, show A@0, propose A from 0, wait propose, L28, prevote A from 0`,
  },
  {
    name: "setValidBlockOnDelayedPrevote",
    shows: "a prevote that completes a polka after the precommit makes its value the valid one, without a lock",
    rule: "L42",
    broken: ["precommitted-see-no-polka", "late-polka-locks"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0: prevote A            => nothing
    p1: prevote nil          => L34, wait prevote
    timer prevote            => L61, precommit nil
    state                    => precommit in round 0, no lock, nothing valid
    p2: prevote A            => L42, valid A@0
    state                    => precommit in round 0, no lock, valid A@0`,
  },
  {
    name: "setValidBlockOnDelayedProposal",
    shows:
      "a proposal that comes after the precommit makes its value the valid one where a polka is known, without a lock",
    rule: "L42",
    broken: ["precommitted-see-no-polka", "late-polka-locks"],
    script: `
    start                    => L20, round 0, wait propose
    timer propose            => L57, prevote nil
    p0 p1 p2: prevote A      => L34, wait prevote, fetch A
    timer prevote            => L61, precommit nil
    p0: propose A            => L42, valid A@0
    state                    => precommit in round 0, no lock, valid A@0`,
  },
  {
    name: "outOfOrderProposals",
    shows: "a proposal and votes of the next round are kept, and count when that round begins",
    rule: "L22, L36",
    broken: ["early-proposals-dropped"],
    script: `
    start                    => L20, round 0, wait propose
    p1: propose B in 1       => nothing
    p1: prevote B in 1       => nothing
    p0: prevote B in 1       => L55 L20 L22, round 1, wait propose, prevote B, L36, lock B@1, valid B@1, precommit B`,
  },
];
