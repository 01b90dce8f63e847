import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodeCertificate, encodeElectorate, verifyEvidence } from "troupe";
import { commit } from "../consensus/commits.ts";
import { convene, equals } from "../consensus/council.ts";
import { makeFolder, troupe } from "./command-line.ts";

const folder = makeFolder();
afterAll(() => folder.remove());

const council = await convene(equals(4), {
  method: "single",
  closing: "commit",
  threshold: ">1/2",
  participation: ">1/2",
});
const choices = { a: "x", b: "x", c: "x" };
const files = {
  "electorate.json": encodeElectorate(council.electorate),
  "mine.json": encodeCertificate(await commit(council, { choices, signers: ["a", "c", "d"] })),
  "same.json": encodeCertificate(await commit(council, { choices, signers: ["a", "b", "c"], round: 1 })),
  "theirs.json": encodeCertificate(
    await commit(council, { choices: { ...choices, d: "y" }, signers: ["b", "c", "d"] }),
  ),
  "later.json": encodeCertificate(
    await commit(council, { choices: { ...choices, d: "y" }, signers: ["b", "c", "d"], round: 3 }),
  ),
};
for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder.path, name), bytes);
writeFileSync(
  join(folder.path, "broken.json"),
  Buffer.from(files["mine.json"]).toString().replace('"round":0', '"round":5'),
);

function verify(...argv: string[]): ReturnType<typeof troupe> {
  return troupe(["verify", ...argv, "--electorate", "electorate.json"], folder.path);
}

describe("troupe verify with several certificates", () => {
  test("names whom two of one round convict, on a page, and exits 1", async () => {
    const { code, stdout } = await verify("mine.json", "theirs.json");
    expect(code).toBe(1);
    expect(stdout).toContain("All 2 certificates hold, and they contradict each other.");
    expect(stdout).toContain('theirs.json: The certificate holds: "x" with weight 3, backed by a, b, c; committed by');
    expect(stdout).toContain("c signed two different precommits of one round");
    expect(stdout).toContain("d signed two different precommits of one round");
    expect(stdout).toContain("c, d: weight 2 of 4, more than a third");
    expect(stdout).not.toContain("do not prove");
  });

  test("gives the same as JSON, with evidence that stands by itself", async () => {
    const { code, stdout } = await verify("mine.json", "theirs.json", "--json");
    expect(code).toBe(1);
    const told = JSON.parse(stdout) as { readonly evidence: readonly unknown[] };
    expect(told).toMatchObject({
      ok: false,
      certificates: [
        { file: "mine.json", verdict: { ok: true, option: "x" } },
        { file: "theirs.json", verdict: { ok: true, option: "x" } },
      ],
      conflicts: [{ certificates: [0, 1], kind: "commits", isExplained: true }],
      culprits: ["c", "d"],
      weight: 2,
      total: 4,
    });
    expect(told.evidence).toHaveLength(2);
    for (const each of told.evidence) expect(verifyEvidence(each, council.electorate)).toMatchObject({ ok: true });
  });

  test("says what it cannot tell of two rounds, and convicts nobody", async () => {
    const { code, stdout } = await verify("mine.json", "later.json");
    expect(code).toBe(1);
    expect(stdout).toContain("not provable from certificates alone");
    expect(stdout).toContain("ask the members for their transcripts");
    expect(stdout).not.toContain("Convicted");
  });

  test("exits 0 where all hold and agree", async () => {
    expect(await verify("mine.json", "same.json")).toMatchObject({
      code: 0,
      stdout: "All 2 certificates hold, and agree.\n",
    });
    const { stdout } = await verify("mine.json", "same.json", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, conflicts: [], culprits: [] });
  });

  test("exits 1 with the file that does not hold, and 2 with one that cannot be read", async () => {
    const refused = await verify("mine.json", "broken.json");
    expect(refused).toMatchObject({
      code: 1,
      stdout: "broken.json: the certificate does not hold: commit-signature.\n",
    });
    const { code, stdout } = await verify("mine.json", "broken.json", "--json");
    expect({ code, told: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 1,
      told: { ok: false, file: "broken.json", reason: "commit-signature" },
    });
    expect(await verify("mine.json", "none.json")).toMatchObject({ code: 2 });
  });
});
