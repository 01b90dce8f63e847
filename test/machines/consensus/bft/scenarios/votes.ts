import type { Scenario } from "./transcript.ts";

/** CometBFT's vote sets: what is counted, for what, how often. */
export const votes: readonly Scenario[] = [
  {
    name: "voteSetAddVoteGood",
    shows: "a vote is counted for its content, in its round and of its kind",
    rule: "V1",
    broken: ["quorum-must-be-exceeded"],
    script: `
    start                    => L20, round 0, wait propose
    p0: prevote nil          => nothing
    p1: prevote A            => nothing
    p0: prevote A in 1       => nothing
    count prevotes           => 1 for nil, 1 for A, 2 of 4
    count prevotes in 1      => 1 for A, 1 of 4
    count precommits         => 0 of 4
    p0 p1 p2: precommit nil  => L47, wait precommit
    count precommits         => 3 for nil, 3 of 4`,
  },
  {
    name: "voteSetAddVoteBad",
    shows:
      "a vote of another decision, of a stranger, out of range or with a bad signature is refused and counted nowhere",
    rule: "admission",
    broken: ["scope-not-checked", "signatures-not-checked", "strangers-vote"],
    script: `
    start                                     => L20, round 0, wait propose
    p0: prevote A                             => nothing
    p1 (of another decision): prevote A       => refuse as stale
    p1 (forged): prevote A                    => refuse as forged
    p9: prevote A                             => refuse as unknownVoter
    p1: prevote A in 10000                    => refuse as malformed
    p1: prevote A from 0                      => refuse as malformed
    p1: precommit A from 0 in 1               => refuse as malformed
    count prevotes                            => 1 for A, 1 of 4`,
  },
  {
    name: "voteSet23Majority",
    shows:
      "of ten, six prevotes for nil are no majority, a seventh for a value makes more than two thirds for anything, an eighth for nil a polka",
    rule: "L34, L44",
    broken: ["half-quorum", "nil-needs-more"],
    members: 10,
    script: `
    start                          => L20, round 0, wait propose
    timer propose                  => L57, prevote nil
    p0 p1 p2 p4 p5: prevote nil    => nothing
    count prevotes                 => 6 for nil, 6 of 10
    p6: prevote A                  => L34, wait prevote
    count prevotes                 => 6 for nil, 1 for A, 7 of 10
    p7: prevote nil                => L44, precommit nil`,
  },
  {
    name: "voteSet23MajorityRedux",
    shows: "prevotes for one value that lean on different polkas are no majority together",
    rule: "V1, L36",
    broken: ["polka-ignores-valid-round"],
    differs: "CometBFT's votes differ in their part sets; here in the polka they lean on",
    members: 10,
    script: `
    start                                     => L20, round 0, wait propose
    p0 p1 p2 p4: precommit nil in 1           => L55 L20, round 1, wait propose
    p1: propose A                             => L22, prevote A
    p0 p1 p2 p4: prevote A                    => nothing
    p5 p6 p7: prevote A from 0                => L34, wait prevote
    count prevotes                            => 5 for A, 3 for A from 0, 8 of 10
    p8: prevote A                             => nothing
    p9: prevote A                             => L36, lock A@1, valid A@1, precommit A`,
  },
  {
    name: "voteSetConflicts",
    shows: "both votes of a double voter count, each for its own content and once for anything; a third does not",
    rule: "V3",
    broken: ["equivocators-count-double", "second-votes-ignored"],
    differs: "CometBFT counts the second only when a peer claims a majority for it",
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0: prevote B            => nothing
    p0: prevote A            => convict p0 of DuplicatePrevote
    p0: prevote C            => nothing
    count prevotes           => 2 for A, 1 for B, 2 of 4
    p1: prevote A            => L36, lock A@0, valid A@0, precommit A`,
  },
  {
    name: "voteSetMakeCommit",
    shows: "a certificate holds the precommits for the value, and no others",
    rule: "L49",
    broken: ["certificates-hold-anything"],
    members: 7,
    script: `
    start                           => L20, round 0, wait propose
    p0: propose A                   => L22, prevote A
    p0: precommit nil               => nothing
    p1: precommit B                 => nothing
    p0: precommit A                 => convict p0 of DuplicatePrecommit
    p2 p4: precommit A              => nothing
    p5: precommit A                 => L47, wait precommit
    p6: precommit A                 => L49, decide A@0 by p0 p2 p4 p5 p6`,
  },
  {
    name: "peerCatchupRounds",
    shows: "votes of two rounds ahead are kept, of later rounds only who sent them; a certificate is kept whole",
    rule: "V3, C1",
    broken: ["every-round-kept", "certificates-not-kept"],
    differs: "CometBFT allows each peer two rounds to catch up from; here the window is around the own round",
    script: `
    start                                => L20, round 0, wait propose
    p0: prevote A in 2                   => nothing
    count prevotes in 2                  => 1 for A, 1 of 4
    p0: prevote A in 3                   => nothing
    count prevotes in 3                  => 0 of 4
    p1: commit A in 7 by p0 p1 p2        => L49, decide A@7 by p0 p1 p2`,
  },
  {
    name: "signSameVoteTwice",
    shows: "the same vote signed twice is one vote, counts once, and convicts nobody",
    rule: "V1",
    broken: ["duplicates-counted"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p0 p0: prevote A      => nothing
    count prevotes           => 2 for A, 2 of 4`,
  },
  {
    name: "stateSlashing",
    shows:
      "two proposals, two prevotes or two precommits of one member in one round are evidence against it, told once",
    rule: "V3",
    broken: ["second-votes-ignored", "two-proposals-unnoticed"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0: propose B            => convict p0 of DuplicateProposal
    p0: propose B            => nothing
    p1: prevote A            => nothing
    p1: prevote nil          => convict p1 of DuplicatePrevote
    p1: prevote nil          => nothing
    p2: precommit A          => nothing
    p2: precommit B          => convict p2 of DuplicatePrecommit
    p2: precommit B          => nothing`,
  },
];
