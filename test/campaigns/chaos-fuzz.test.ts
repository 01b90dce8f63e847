import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { faults, findingsWith, socketFaults, socketFindingsWith } from "./fuzz-faults.ts";
import { rootFolder } from "../house/source-files.ts";

interface Verdict {
  readonly campaign: string;
  readonly ran: number;
  readonly violations: number;
  readonly findings: readonly unknown[];
  readonly codecs?: object;
}

/** Runs a campaign as a user does, and reads the last line of its standard output. */
function runCampaign(script: string, args: readonly string[]): { code: number | null; verdict: Verdict } {
  const ran = spawnSync("npm", ["run", "--silent", script, "--", ...args], { cwd: rootFolder, encoding: "utf8" });
  const last = ran.stdout.trimEnd().split("\n").at(-1) ?? "";
  return { code: ran.status, verdict: JSON.parse(last) as Verdict };
}

describe("a long campaign", () => {
  test("of chaos: eight seeds, 60,000 messages each way, none lost, repeated or out of order", () => {
    const { code, verdict } = runCampaign("test:chaos", ["--seeds", "8", "--messages", "60000"]);
    expect(verdict.findings).toEqual([]);
    expect([code, verdict.campaign, verdict.ran, verdict.violations]).toEqual([0, "chaos", 8, 0]);
    expect(Object.keys(verdict.codecs ?? {}).toSorted()).toEqual(["changing", "json", "msgpack"]);
  });

  test("of a million hostile frames: each gets its code, nothing is left, nothing grows", () => {
    const { code, verdict } = runCampaign("test:fuzz", ["--frames", "1000000"]);
    expect(verdict.findings).toEqual([]);
    expect(verdict.ran).toBeGreaterThanOrEqual(1_000_000);
    expect([code, verdict.campaign, verdict.violations]).toEqual([0, "fuzz", 0]);
  });

  test.each(faults)("of hostile frames finds a node that $name", async (fault) => {
    expect(await findingsWith(fault)).not.toEqual([]);
  });

  test.concurrent.each(socketFaults)("of hostile clients on real sockets finds a node that $name", async (fault) => {
    expect(await socketFindingsWith(fault)).not.toEqual([]);
  });
});
