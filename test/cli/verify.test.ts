import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodeCertificate, encodeElectorate, encodeTranscript, verifyEvidence } from "troupe";
import { commit } from "../consensus/commits.ts";
import { convene, equals } from "../consensus/council.ts";
import { say, show } from "../consensus/statements.ts";
import { valueDigestOf } from "../../machines/consensus/codec/commit-messages.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
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
const later = await commit(council, { choices: { ...choices, d: "y" }, signers: ["b", "c", "d"], round: 3 });
const files = {
  "electorate.json": encodeElectorate(council.electorate),
  "mine.json": encodeCertificate(await commit(council, { choices, signers: ["a", "c", "d"] })),
  "earlier.json": encodeCertificate(await commit(council, { choices, signers: ["a", "b", "c"] })),
  "same.json": encodeCertificate(await commit(council, { choices, signers: ["a", "b", "c"], round: 1 })),
  "theirs.json": encodeCertificate(
    await commit(council, { choices: { ...choices, d: "y" }, signers: ["b", "c", "d"] }),
  ),
  "later.json": encodeCertificate(later),
};
/** "b" and "c" are in both commits, and voted in round 3 against what they had committed to in round 0. */
const polka = await say(council, {
  kind: "prevote",
  voters: "bcd",
  round: 3,
  value: valueDigestOf(later.value, sha256),
});
const transcripts = await Promise.all(
  ["b", "c", "d"].map(async (id) => [`${id}.json`, encodeTranscript(await show(council, id, polka))] as const),
);
const shown = Object.fromEntries(transcripts);
writeFileSync(
  join(folder.path, "cut.json"),
  Buffer.from(shown["c.json"] ?? "")
    .toString()
    .replace('"round":3', '"round":2'),
);
writeFileSync(join(folder.path, "junk.json"), "not JSON");
for (const [name, bytes] of Object.entries({ ...files, ...shown })) writeFileSync(join(folder.path, name), bytes);
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

describe("troupe verify with transcripts", () => {
  const across = ["earlier.json", "later.json"];

  test("convicts whoever forgot its lock between two rounds, with evidence that stands by itself", async () => {
    const argv = [...across, "--transcript", "d.json", "--transcript", "b.json", "--silent", "c"];
    const { code, stdout } = await verify(...argv);
    expect(code).toBe(1);
    expect(stdout).toContain("What is proven");
    expect(stdout).toContain("b, c voted against a value they had committed to");
    expect(stdout).toContain("b, c: weight 2 of 4, more than a third");
    expect(stdout).not.toContain("What is not proven");
    expect(stdout).not.toContain("without a transcript");
    const told = JSON.parse((await verify(...argv, "--json")).stdout) as { readonly evidence: readonly unknown[] };
    expect(told).toMatchObject({
      ok: false,
      conflicts: [{ kind: "locks", isExplained: true }],
      culprits: ["b", "c"],
      lacking: ["a", "c"],
      accusations: [],
      transcripts: [
        { file: "d.json", verdict: { ok: true, member: "d" } },
        { file: "b.json", verdict: { ok: true, member: "b" } },
      ],
    });
    expect(verifyEvidence(told.evidence[0], council.electorate)).toEqual({ ok: true, voters: ["b", "c"] });
  });

  test("says what is not proven, who was not heard, and how to go on", async () => {
    const { code, stdout } = await verify(...across, "--transcript", "d.json");
    expect(code).toBe(1);
    expect(stdout).toContain("What is not proven");
    expect(stdout).toContain("unless one of b, c shows that it moved its lock by the rules");
    expect(stdout).toContain("--silent b --silent c");
    expect(stdout).toContain("Members without a transcript that holds");
    expect(stdout).not.toContain("Convicted");
  });

  test("sets aside a transcript that was changed or is none, and convicts nobody by it", async () => {
    const argv = ["--transcript", "d.json", "--transcript", "b.json", "--transcript", "cut.json"];
    const { code, stdout } = await verify(...across, ...argv, "--transcript", "junk.json", "--silent", "c");
    expect(code).toBe(1);
    expect(stdout).toContain("cut.json (c): transcript-signature");
    expect(stdout).toContain("junk.json: malformed");
    expect(stdout).toContain("unless one of c shows");
    expect(stdout).not.toContain("Convicted");
  });

  test("exits 2 for a file that is not there, a silent nobody, and transcripts beside one certificate", async () => {
    const transcript = ["--transcript", "d.json"];
    expect(await verify(...across, "--transcript", "none.json")).toMatchObject({ code: 2 });
    const unknown = await verify(...across, ...transcript, "--silent", "z");
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("no member of this electorate") });
    const alone = await verify("earlier.json", ...transcript);
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("give two or more") });
  });

  test("exits 0 where the certificates agree, whatever the transcripts hold", async () => {
    const { code, stdout } = await verify("mine.json", "same.json", "--transcript", "d.json");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "All 2 certificates hold, and agree.\n" });
  });
});
