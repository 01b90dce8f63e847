import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { rootFolder } from "../house/source-files.ts";
import { runSoak, soakGrowthMax } from "./soak-run.ts";

describe("two troupes that are busy with each other", () => {
  test("for a minute and more keep no memory and nothing open, and everything ends as it should", () => {
    const args = ["run", "--silent", "test:soak", "--", "--minutes", "1"];
    const { status, stdout } = spawnSync("npm", args, { cwd: rootFolder, encoding: "utf8" });
    const verdict: unknown = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    expect(verdict).toMatchObject({ campaign: "soak", violations: 0, findings: [] });
    expect(status).toBe(0);
  });

  test("are caught where each round keeps eight kilobytes", async () => {
    const kept: object[] = [];
    const leak = (): void => void kept.push(new Array(1_024).fill(kept.length));
    const { findings, heapGrowth } = await runSoak({ seed: 2, minutes: 0.1, leak });
    expect(findings.map(({ rule }) => rule)).toEqual(["the heap is flat"]);
    expect(heapGrowth).toBeGreaterThan(soakGrowthMax);
    expect(kept.length).toBeGreaterThan(0);
  });
});
