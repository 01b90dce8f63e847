import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rootFolder } from "../house/source-files.ts";
import { scenarios } from "../machines/consensus/bft/scenarios/scenarios.ts";
import { scenarioTable } from "./scenario-table.ts";

/** A title that begins with the name and a colon, in the file itself or made from a scenario. */
function hasTitle(file: string, name: string): boolean {
  const text = readFileSync(join(rootFolder, "test", `${file}.test.ts`), "utf8");
  if (text.includes(`"${name}: `)) return true;
  return text.includes("`${scenario.name}: ") && scenarios.some((scenario) => scenario.name === name);
}

describe("the table of CometBFT's scenarios", () => {
  it("names for each a test that is there, or says why there is none", () => {
    const missing = scenarioTable.filter(({ file, name, remark }) =>
      file === undefined || name === undefined ? remark === undefined : !hasTitle(file, name),
    );
    expect(missing).toEqual([]);
    expect(hasTitle("consensus/scenarios/byzantine", "byzantineNothing")).toBe(false);
    const names = scenarioTable.flatMap(({ name }) => name ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(50);
  });

  it("holds every scenario that the consensus design names", () => {
    const design = [
      "byzantinePrevoteEquivocation",
      "byzantineConflictingProposalsWithPartition",
      "stateLockPolRelock",
      "stateLockPolUnlock",
      "stateLockPolUnlockOnUnknownBlock",
      "stateLockPolSafety1",
      "stateLockPolSafety2",
      "proposeValidBlock",
      "setValidBlockOnDelayedPrevote",
      "setValidBlockOnDelayedProposal",
      "roundSkipOnNilPolkaFromHigherRound",
      "commitFromPreviousRound",
      "waitingTimeoutOnNilPolka",
      "doubleSigning",
      "walCrash",
      "voteSetAddVoteBad",
      "voteSet23Majority",
      "voteSetConflicts",
      "verifyCommitAll",
      "verifyCommitCheckAllSignatures",
      "verifyCommitOverflow",
      "verifyCommitUsesCache",
    ];
    expect(scenarioTable.map(({ name }) => name)).toEqual(expect.arrayContaining(design));
  });
});
