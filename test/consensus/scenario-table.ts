import { scenarios } from "../machines/consensus/bft/scenarios/scenarios.ts";

/** One of CometBFT's tests, and its counterpart here: a test that begins with our name for it, or why there is none. */
export interface ScenarioRow {
  readonly theirs: string;
  /** Without `.test.ts`, below `test/`. */
  readonly file?: string;
  readonly name?: string;
  /** Rows of the transition table, or what stands for them. */
  readonly rule?: string;
  /** Where the rule here is another one; or why there is nothing to show. */
  readonly remark?: string;
}

const told = "machines/consensus/bft/scenarios/scenarios";
const byzantine = "consensus/scenarios/byzantine";
const log = "consensus/scenarios/wal-crash";
const commits = "consensus/scenarios/verify-commit";

/** CometBFT's name for each that is told to one member, where it is not ours with `Test` before it. */
const theirs: Readonly<Record<string, string>> = {
  stateLockNoPol: "TestStateLock_NoPOL",
  stateLockPolUpdateLock: "TestStateLock_POLUpdateLock",
  stateLockPolRelock: "TestStateLock_POLRelock",
  stateLockPrevoteNilWhenLockedAndMissProposal: "TestStateLock_PrevoteNilWhenLockedAndMissProposal",
  stateLockPrevoteNilWhenLockedAndDifferentProposal: "TestStateLock_PrevoteNilWhenLockedAndDifferentProposal",
  stateLockPolUnlock: "TestStateLock_POLDoesNotUnlock",
  stateLockPolUnlockOnUnknownBlock: "TestStateLock_MissingProposalWhenPOLSeenDoesNotUpdateLock",
  stateLockMissingProposalWhenPolForLockedBlock: "TestStateLock_MissingProposalWhenPOLForLockedBlock",
  stateLockDoesNotLockOnOldProposal: "TestStateLock_DoesNotLockOnOldProposal",
  stateLockPolSafety1: "TestStateLock_POLSafety1",
  stateLockPolSafety2: "TestStateLock_POLSafety2",
  statePrevotePolFromPreviousRound: "TestState_PrevotePOLFromPreviousRound",
  stateMissingProposalValidBlockReceivedTimeout: "TestState_MissingProposalValidBlockReceivedTimeout",
  stateMissingProposalValidBlockReceivedPrecommit: "TestState_MissingProposalValidBlockReceivedPrecommit",
  stateSlashing: "TestStateSlashing_Prevotes, _Precommits",
  outOfOrderProposals: "(none)",
  doubleSigning: "double signing (privval's last signed state)",
  voteSetAddVoteGood: "TestVoteSet_AddVote_Good",
  voteSetAddVoteBad: "TestVoteSet_AddVote_Bad",
  voteSet23Majority: "TestVoteSet_2_3Majority",
  voteSet23MajorityRedux: "TestVoteSet_2_3MajorityRedux",
  voteSetConflicts: "TestVoteSet_Conflicts",
  voteSetMakeCommit: "TestVoteSet_MakeCommit",
};

const running: readonly ScenarioRow[] = [
  {
    theirs: "TestByzantinePrevoteEquivocation",
    file: byzantine,
    name: "byzantinePrevoteEquivocation",
    rule: "V3",
  },
  {
    theirs: "TestByzantineConflictingProposalsWithPartition",
    file: byzantine,
    name: "byzantineConflictingProposalsWithPartition",
    rule: "L49, V3",
  },
  {
    theirs: "TestStateOversizedBlock",
    file: byzantine,
    name: "stateOversizedBlock",
    rule: "the wire",
    remark: "CometBFT counts bytes and parts; here a value is measured in ballots",
  },
  {
    theirs: "TestWALCrash",
    file: log,
    name: "walCrash",
    rule: "the vote store",
    remark: "the vote store: what was signed, written before it is sent",
  },
  {
    theirs: "TestValidatorSet_VerifyCommit_All",
    file: commits,
    name: "verifyCommitAll",
    rule: "certificates",
  },
  {
    theirs: "TestValidatorSet_VerifyCommit_CheckAllSignatures",
    file: commits,
    name: "verifyCommitCheckAllSignatures",
    rule: "certificates",
  },
  {
    theirs: "TestValidatorSet_VerifyCommit…Overflow",
    file: commits,
    name: "verifyCommitOverflow",
    rule: "weights",
  },
  {
    theirs: "TestValidatorSet_VerifyCommit…UsesCache",
    file: commits,
    name: "verifyCommitUsesCache",
    rule: "certificates",
    remark: "the cache is a replica's, for statements; certificates are checked anew every time",
  },
];

const absent: readonly ScenarioRow[] = [
  {
    theirs:
      "TestExtendVote…, TestVerifyVoteExtension…, TestPrepareProposalReceivesVoteExtensions, TestVoteExtensionEnableHeight",
    remark: "votes carry nothing but a value",
  },
  {
    theirs: "TestResetTimeoutPrecommitUponNewHeight, TestStartNextHeightCorrectlyAfterTimeout",
    remark: "no heights: each decision is a council of its own, with clocks of its own",
  },
  { theirs: "TestStateTimestamp_ProposalMatch, _ProposalNotMatch", remark: "no timestamps in proposals and votes" },
  { theirs: "TestStateOutputsBlockPartsStats, TestStateOutputVoteStats", remark: "no parts, and no scores of peers" },
  {
    theirs: "TestValidatorSet_VerifyCommitLight…, VerifyCommitLightTrusting…",
    remark: "no light client: whoever checks a certificate has the whole electorate, and checks every signature",
  },
];

/** Every scenario of the design, and every test of CometBFT's `internal/consensus/state_test.go` (version 1). */
export const scenarioTable: readonly ScenarioRow[] = [
  ...scenarios.map(({ name, rule, differs }): ScenarioRow => {
    const own = `Test${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return {
      theirs: theirs[name] ?? own,
      file: told,
      name,
      rule,
      ...(differs === undefined ? {} : { remark: differs }),
    };
  }),
  ...running,
  ...absent,
];
