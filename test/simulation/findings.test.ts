import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { CampaignReport, Finding } from "../../src/testing/simulation/campaign.ts";
import { drawPlan, features } from "../../src/testing/simulation/plan.ts";
import { mutants } from "./mutants.ts";
import { MutatedHouse } from "./mutation.ts";

const campaignTimeoutMs = 120_000;

/** The words after `npm run test:simulation --`. */
function argvOf(replay: string): string[] {
  return (replay.split(" -- ")[1] ?? "").split(" ");
}

function wordAfter(argv: readonly string[], option: string): string | undefined {
  return argv.includes(option) ? argv[argv.indexOf(option) + 1] : undefined;
}

async function findIn(house: MutatedHouse, argv: readonly string[]): Promise<{ finding: Finding; told: string }> {
  const { status, out, problem } = await house.command(argv);
  expect(status, problem).toBe(1);
  const report = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as CampaignReport;
  const [finding] = report.findings;
  if (finding === undefined) throw new Error("nothing was found");
  expect(problem).toContain(`seed ${finding.seed} breaks ${finding.rule}: ${finding.message}\n  ${finding.replay}`);
  return { finding, told: problem };
}

describe("npm run test:simulation in a house with a fault", () => {
  // The second one fails only where members crash, so the crashes stay.
  it.each(["half-quorum", "votes-not-durable"])(
    "%s: exits 1 with the smallest schedule that fails alike, and the command that it prints runs it again",
    { timeout: campaignTimeoutMs },
    async (name) => {
      const mutant = mutants.find((each) => each.name === name);
      if (mutant === undefined) throw new Error(`no mutant ${name}`);
      using house = new MutatedHouse(mutant);
      const { finding, told } = await findIn(house, ["--seeds", "1", "--from", String(mutant.seed)]);
      expect(finding).toMatchObject({ seed: mutant.seed, rule: mutant.rule });
      const argv = argvOf(finding.replay);
      const without = wordAfter(argv, "--without")?.split(",") ?? [];
      expect(without.length, "it left something out").toBeGreaterThan(0);
      expect(new Set(without).size).toBe(without.length);
      for (const feature of without) expect(features).toContain(feature);
      if (name === "votes-not-durable") expect(without).not.toContain("crashes");
      expect(told, "git knows nothing of a temporary folder").not.toContain("seen on commit");

      const again = await findIn(house, argv);
      expect(again.finding, "what is smallest is not made smaller, nor named twice").toEqual(finding);
    },
  );

  // With four members no weight is at the edge, so the first one keeps five of its seven.
  it.each([
    ["edge", 33, 5],
    ["beyond", 5, 4],
  ] as const)(
    "seats as few members as still fail alike with the faulty weight of its regime: %s",
    { timeout: campaignTimeoutMs },
    async (regime, seed, fewest) => {
      const mutant = mutants.find(({ name }) => name === "duplicates-counted");
      if (mutant === undefined) throw new Error("it is listed");
      const drawn = drawPlan(seed, { regime });
      expect(drawn.regime).toBe(regime);
      using house = new MutatedHouse(mutant);
      const { finding } = await findIn(house, ["--seeds", "1", "--from", String(seed), "--regime", regime]);
      const argv = argvOf(finding.replay);
      expect(Number(wordAfter(argv, "--members"))).toBe(fewest);
      expect(drawn.council.weights.length).toBeGreaterThan(fewest);

      const { out } = await house.command(argv);
      const again = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as CampaignReport;
      expect(again.findings).toEqual([finding]);
      expect(again.schedules[regime], "as much is faulty, by its regime").toBe(1);
    },
  );

  it("says the commit that it was seen on where git tells one", { timeout: campaignTimeoutMs }, async () => {
    const mutant = mutants.find(({ name }) => name === "half-quorum");
    if (mutant === undefined) throw new Error("it is listed");
    using house = new MutatedHouse(mutant);
    const git = (...argv: string[]): string =>
      spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...argv], {
        cwd: house.folder,
        encoding: "utf8",
      }).stdout;
    git("init", "--quiet");
    git("add", "package.json");
    git("commit", "--quiet", "--no-gpg-sign", "-m", "a fault");
    const commit = git("rev-parse", "HEAD").trim();
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    const argv = ["--seeds", "1", "--from", String(mutant.seed)];
    const { finding, told } = await findIn(house, argv);
    expect(told).toContain(`  ${finding.replay} # seen on commit ${commit}\n`);
  });
});
