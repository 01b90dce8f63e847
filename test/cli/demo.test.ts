import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeFolder, startTroupe, troupe } from "./command-line.ts";

interface DemoDocument {
  readonly decision: {
    readonly status: string;
    readonly option: string | null;
    readonly agreement: number;
    readonly certificate: unknown;
    readonly evidence: readonly { readonly voter?: string }[];
    readonly assumptions: { readonly fLive: number; readonly fSafe: number; readonly faulty: number };
  };
  readonly reports: readonly {
    readonly agent: string;
    readonly recommendation: string;
    readonly confidence: number | null;
    readonly concerns: readonly { readonly message: string; readonly file?: string; readonly line?: number }[];
  }[];
  readonly files: { readonly certificate: string | null; readonly electorate: string };
  readonly metrics: { readonly restarts: number };
}

const project = makeFolder({
  "package.json": JSON.stringify({
    name: "sums",
    version: "1.2.0",
    license: "MIT",
    type: "module",
    exports: "./sum.js",
    description: "Adds numbers",
  }),
  LICENSE:
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software",
  "README.md":
    "# sums\n\nAdds numbers.\n\n## Install\n\n```sh\nnpm install sums\n```\n\n## Usage\n\n```js\nimport { sum } from 'sums';\nsum([1, 2]);\n```\n",
  "sum.js":
    "export function sum(numbers) {\n  let total = 0;\n  for (const each of numbers) total += each;\n  return total;\n}\n",
  "sum.test.js":
    "import { sum } from './sum.js';\nimport { test } from 'node:test';\nimport assert from 'node:assert';\ntest('adds', () => assert.equal(sum([1, 2]), 3));\n",
});
const here = makeFolder();
afterAll(() => {
  project.remove();
  here.remove();
});

async function demo(
  ...args: readonly string[]
): Promise<{ code: number | null; document: DemoDocument; stderr: string }> {
  const { code, stdout, stderr } = await troupe(["demo", project.path, "--json", ...args], here.path);
  expect(stdout.trim().split("\n")).toHaveLength(1);
  return { code, document: JSON.parse(stdout) as DemoDocument, stderr };
}

describe("troupe demo", () => {
  test("gives five reports and a decision whose certificate verifies, and refuses it after one changed byte", async () => {
    const { code, document } = await demo();
    expect(code).toBe(0);
    expect(document.decision.status).toBe("decided");
    expect(document.reports.map((report) => report.agent)).toEqual([
      "security-expert",
      "performance-expert",
      "maintainability-expert",
      "business-expert",
      "user-experience-expert",
    ]);
    const { certificate, electorate } = document.files;
    const path = join(here.path, certificate ?? "");
    const verified = await troupe(["verify", path, "--electorate", electorate, "--json"], here.path);
    expect({ code: verified.code, ...(JSON.parse(verified.stdout) as object) }).toMatchObject({
      code: 0,
      ok: true,
      option: document.decision.option,
    });
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    const changed = join(here.path, "changed.json");
    writeFileSync(changed, bytes);
    const swapped = await troupe(["verify", electorate, "--electorate", path], here.path);
    expect(swapped.code).toBe(2);
    expect(swapped.stderr).toContain("the two files are swapped");
    const refused = await troupe(["verify", changed, "--electorate", electorate, "--json"], here.path);
    expect({ code: refused.code, ...(JSON.parse(refused.stdout) as object) }).toMatchObject({ code: 1, ok: false });
  });

  test("writes nothing into the examined folder, and where --out says", async () => {
    const { document } = await demo("--out", "verdict");
    expect(document.files).toEqual({ certificate: "verdict/certificate.json", electorate: "verdict/electorate.json" });
    expect(() => readFileSync(join(project.path, ".troupe"))).toThrow("ENOENT");
  });

  test("with one expert that votes twice it shows the evidence and still decides", async () => {
    const { code, document } = await demo("--byzantine", "1");
    expect(code).toBe(0);
    expect(document.decision.evidence).toHaveLength(1);
    expect(document.decision.assumptions).toMatchObject({ fLive: 1, faulty: 1 });
  });

  test("with two of five that vote twice it is beyond F_live and decides nothing", async () => {
    const { code, document } = await demo("--byzantine", "2");
    expect(code).toBe(1);
    expect(document.decision).toMatchObject({ status: "no-quorum", option: null, certificate: null });
    expect(document.decision.evidence).toHaveLength(2);
  });

  test("with two experts killed in the middle it ends with the same decision as without", async () => {
    const calm = await demo();
    const stormy = await demo("--crash", "2");
    expect(stormy.code).toBe(0);
    expect(stormy.document.metrics.restarts).toBe(2);
    expect(stormy.document.decision.option).toBe(calm.document.decision.option);
    expect(stormy.document.reports).toEqual(calm.document.reports);
  });

  test("prints a page for people: decision, bounds, concerns with place, and where the certificate is", async () => {
    const { code, stdout } = await troupe(["demo", project.path], here.path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The council decides: /);
    for (const part of ["F_safe = ", "F_live = ", "Certificate: .troupe", "troupe verify "])
      expect(stdout).toContain(part);
    expect(stdout).not.toContain("\u001B");
  });

  test("an empty folder gives five abstentions and no quorum", async () => {
    const empty = makeFolder();
    const { code, stdout } = await troupe(["demo", empty.path, "--json"], here.path);
    const document = JSON.parse(stdout) as DemoDocument;
    expect(code).toBe(1);
    expect(document.decision.status).toBe("no-quorum");
    expect(document.reports.map(({ recommendation, confidence }) => ({ recommendation, confidence }))).toEqual(
      Array(5).fill({ recommendation: "abstain", confidence: null }),
    );
    empty.remove();
  });

  test.each([
    ["a missing path", ["demo", "no-such-folder"], "there is no such folder"],
    ["a file", ["demo", join(project.path, "sum.js")], "this is a file"],
    ["more liars than experts", ["demo", project.path, "--byzantine", "6"], "whole number from 0 to 5"],
    ["an unknown option", ["demo", "--loud"], "--loud"],
    ["an unknown command", ["dance"], "there is no command"],
    ["an empty path", ["demo", ""], "the path is empty"],
    [
      "a place that cannot be written to",
      ["demo", project.path, "--out", "/proc/nope"],
      "cannot write into /proc/nope",
    ],
    ["a verify without electorate", ["verify", "certificate.json"], "--electorate is missing"],
    ["a verify of a missing file", ["verify", "none.json", "--electorate", "none.json"], "cannot be read"],
  ])("%s exits 2, says what and how, and prints one document with --json", async (_what, args, words) => {
    const plain = await troupe(args, here.path);
    expect(plain.code).toBe(2);
    expect(plain.stdout).toBe("");
    expect(plain.stderr).toContain(words);
    const asJson = await troupe([...args, "--json"], here.path);
    expect(asJson.code).toBe(2);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      ok: false,
      failure: { code: expect.stringMatching(/^usage\//) as string },
    });
  });

  test("Ctrl-C stops it cleanly with 130 and leaves nothing behind", async () => {
    const run = startTroupe(["demo", project.path], here.path);
    run.interruptOn("surveying");
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("interrupted");
  });
});
