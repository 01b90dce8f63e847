import type { Scenario } from "./transcript.ts";

/** Locked on A in round 0, and on in round 1 because nobody else precommitted it. */
const lockedOnA = `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1: prevote A         => L36, lock A@0, valid A@0, precommit A
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 1, show A@0, wait propose`;

/** CometBFT's lock suite. A lock moves only to a polka of the present round; nil polkas leave it where it is. */
export const locks: readonly Scenario[] = [
  {
    name: "stateLockNoPol",
    shows:
      "a member locked on A precommits nil in every later round without a polka, and proposes A when it is its turn",
    rule: "L22, L28, L61, L11",
    broken: ["no-lock-check", "polka-not-checked", "decides-on-any-quorum", "valid-value-forgotten"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1: prevote A         => L36, lock A@0, valid A@0, precommit A
    p0: precommit B          => nothing
    p1: precommit nil        => L47, wait precommit
    timer precommit          => L65 L20, round 1, show A@0, wait propose
    p1: propose B from 0     => nothing
    timer propose            => L57, prevote nil
    p0 p1: prevote B         => L34, wait prevote
    timer prevote            => L61, precommit nil
    p0 p1: precommit B       => L47, wait precommit
    timer precommit          => L65 L20, round 2, show A@0, wait propose
    p2: propose B            => L22, prevote nil
    p0 p1: prevote B         => L34, wait prevote
    timer prevote            => L61, precommit nil
    p0 p1: precommit B       => L47, wait precommit
    timer precommit          => L65 L11, round 3, show A@0, propose A from 0, wait propose, L28, prevote A from 0
    state                    => prevote in round 3, lock A@0, valid A@0`,
  },
  {
    name: "stateLockPolUpdateLock",
    shows: "a member locked on A that sees a polka for B in a later round prevoted nil, and locks and precommits B",
    rule: "L22, L36",
    broken: ["no-lock-check", "locks-never-move"],
    script: `${lockedOnA}
    p1: propose B            => L22, prevote nil
    p0 p1 p2: prevote B      => L34, wait prevote, L36, lock B@1, valid B@1, precommit B`,
  },
  {
    name: "stateLockPolRelock",
    shows: "a member locked on A that sees a second polka for A is locked on it in the later round",
    rule: "L28, L36",
    broken: ["relock-keeps-round"],
    script: `${lockedOnA}
    p1: propose A from 0     => L28, prevote A from 0
    p0 p1: prevote A from 0  => L36, lock A@1, valid A@1, precommit A`,
  },
  {
    name: "stateLockPrevoteNilWhenLockedAndMissProposal",
    shows: "a member locked on A that hears no proposal prevotes and precommits nil, and stays locked",
    rule: "L57, L44",
    broken: ["prevotes-its-lock", "nil-polka-unlocks"],
    script: `${lockedOnA}
    timer propose            => L57, prevote nil
    p0 p1: prevote nil       => L44, precommit nil
    state                    => precommit in round 1, lock A@0, valid A@0`,
  },
  {
    name: "stateLockPrevoteNilWhenLockedAndDifferentProposal",
    shows: "a member locked on A that hears a proposal of B prevotes and precommits nil, and stays locked",
    rule: "L22, L44",
    broken: ["no-lock-check", "nil-polka-unlocks"],
    script: `${lockedOnA}
    p1: propose B            => L22, prevote nil
    p0 p1: prevote nil       => L44, precommit nil
    state                    => precommit in round 1, lock A@0, valid A@0`,
  },
  {
    name: "stateLockPolUnlock",
    shows: "two polkas for nil do not unlock a member: it still refuses B and may prevote A again",
    rule: "L44",
    broken: ["nil-polka-unlocks"],
    differs: "before 0.38 a nil polka unlocked (POLUnlock); since then, and here, it does not (POLDoesNotUnlock)",
    script: `${lockedOnA}
    p1: propose B            => L22, prevote nil
    p0 p1: prevote nil       => L44, precommit nil
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 2, show A@0, wait propose
    p2: propose C            => L22, prevote nil
    p0 p1: prevote nil       => L44, precommit nil
    state                    => precommit in round 2, lock A@0, valid A@0
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L11, round 3, show A@0, propose A from 0, wait propose, L28, prevote A from 0`,
  },
  {
    name: "stateLockPolUnlockOnUnknownBlock",
    shows:
      "a polka for a value that a locked member does not hold moves no lock: it asks for it, and when it comes after the precommit it is only the valid value",
    rule: "L36, L42",
    broken: ["unknown-values-count", "precommitted-see-no-polka"],
    differs: "once POLUnlockOnUnknownBlock; here the value is fetched as soon as its polka is seen",
    script: `${lockedOnA}
    timer propose            => L57, prevote nil
    p0 p1 p2: prevote B      => L34, wait prevote, fetch B
    timer prevote            => L61, precommit nil
    state                    => precommit in round 1, lock A@0, valid A@0
    learn B                  => L42, valid B@1
    state                    => precommit in round 1, lock A@0, valid B@1`,
  },
  {
    name: "stateLockMissingProposalWhenPolForLockedBlock",
    shows:
      "a member locked on A that missed the proposal and sees a polka for A precommits it, locked in the later round",
    rule: "L36",
    broken: ["relock-keeps-round", "polka-needs-proposal"],
    script: `${lockedOnA}
    timer propose            => L57, prevote nil
    p0 p1 p2: prevote A      => L34, wait prevote, L36, lock A@1, valid A@1, precommit A`,
  },
  {
    name: "stateLockDoesNotLockOnOldProposal",
    shows:
      "here a member does lock on a value that was proposed in an earlier round, when this round has a polka for it",
    rule: "L36",
    broken: ["polka-needs-proposal"],
    differs:
      "CometBFT waits for a proposal of the same round; here a polka is enough for a value that is held and valid, since somebody honest among it saw the proposal",
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1 p2: prevote nil    => L34, wait prevote, L44, precommit nil
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 1, wait propose
    timer propose            => L57, prevote nil
    p0 p1 p2: prevote A      => L34, wait prevote, L36, lock A@1, valid A@1, precommit A`,
  },
  {
    name: "stateLockPolSafety1",
    shows: "a member locked on B does not change it for a polka of an earlier round that comes late",
    rule: "L36, H1",
    broken: ["polka-of-any-round"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 1, wait propose
    p1: propose B            => L22, prevote B
    p0 p1: prevote B         => L36, lock B@1, valid B@1, precommit B
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 2, show B@1, wait propose
    timer propose            => L57, prevote nil
    p0 p1 p2: prevote A in 0 => nothing
    p0 p1: prevote nil       => L44, precommit nil
    state                    => precommit in round 2, lock B@1, valid B@1`,
  },
  {
    name: "stateLockPolSafety2",
    shows: "a member locked on B refuses a proposal of A that leans on a polka of an earlier round",
    rule: "L28",
    broken: ["older-polka-unlocks"],
    script: `
    start                    => L20, round 0, wait propose
    p0: propose A            => L22, prevote A
    p0 p1: precommit nil     => nothing
    p2: precommit A          => L47, wait precommit
    timer precommit          => L65 L20, round 1, wait propose
    p1: propose B            => L22, prevote B
    p0 p1: prevote B         => L36, lock B@1, valid B@1, precommit B
    p0 p1 p2: prevote A in 0 => nothing
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 2, show B@1, wait propose
    p2: propose A from 0     => L28, prevote nil
    p0 p1: prevote nil       => L44, precommit nil
    state                    => precommit in round 2, lock B@1, valid B@1`,
  },
  {
    name: "statePrevotePolFromPreviousRound",
    shows:
      "a member locked on A prevotes B where its proposal leans on a later polka, and stays locked on A without a polka of this round",
    rule: "L28, H1",
    broken: ["locks-never-open", "nil-polka-unlocks"],
    script: `${lockedOnA}
    timer propose            => L57, prevote nil
    p0 p1 p2: prevote B      => L34, wait prevote, fetch B
    timer prevote            => L61, precommit nil
    p0 p1 p2: precommit nil  => L47, wait precommit
    timer precommit          => L65 L20, round 2, show A@0, wait propose
    p2: propose B from 1     => L28 H1, valid B@1, prevote B from 1
    p0 p1 p2: prevote nil    => L34, wait prevote, L44, precommit nil
    state                    => precommit in round 2, lock A@0, valid B@1`,
  },
];
