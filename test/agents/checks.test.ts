import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dependencyLicences, kindOfExpression, kindOfLicence, licence } from "../../agents/business/licences.ts";
import { metadata } from "../../agents/business/metadata.ts";
import { rhythm } from "../../agents/business/release.ts";
import { complexity } from "../../agents/maintainability/complexity.ts";
import { findCycles } from "../../agents/maintainability/cycles.ts";
import { hotspots } from "../../agents/maintainability/hotspots.ts";
import { tests } from "../../agents/maintainability/tests.ts";
import { performanceLineRules, slowCalls } from "../../agents/performance/calls.ts";
import { lockfiles } from "../../agents/security/dependencies.ts";
import { securityPolicy } from "../../agents/security/practice.ts";
import { securityLineRules } from "../../agents/security/lines.ts";
import { secretFiles, secretsInText } from "../../agents/security/secrets.ts";
import { accessibility } from "../../agents/user-experience/accessibility.ts";
import { commandHelp } from "../../agents/user-experience/messages.ts";
import { readme } from "../../agents/user-experience/readme.ts";
import { findingsOf, git, makeProject, runCheck } from "./scene.ts";
import { cases } from "./check-cases.ts";
import { depends, json, manifest, steps, tangled, token } from "./case-projects.ts";

describe("checks of a project", () => {
  it.each(cases)("$rule is found", async ({ check, rule, bad, at }) => {
    const found = (await findingsOf(check, bad)).filter((finding) => finding.rule === rule);
    expect(found.length).toBeGreaterThan(0);
    const [first] = found;
    if (at !== undefined) expect([first?.file, first?.line].filter((part) => part !== undefined).join(":")).toBe(at);
  });

  it.each(cases)("$rule is silent on a near miss", async ({ check, rule, good: files }) => {
    const examination = await runCheck(check, files);
    const findings = examination.state === "measured" ? examination.findings : [];
    expect(findings.filter((finding) => finding.rule === rule)).toEqual([]);
  });
});

describe("the tables of these tests", () => {
  it("name every rule that the experts know", () => {
    const read = (folder: string): string => {
      const files = readdirSync(new URL(folder, import.meta.url), { recursive: true, encoding: "utf8" }).filter(
        (path) => path.endsWith(".ts"),
      );
      return files.map((path) => readFileSync(new URL(`${folder}${path}`, import.meta.url), "utf8")).join("\n");
    };
    const known = new Set(
      read("../../agents/").match(/"(security|performance|maintainability|business|user-experience)\/[a-z-]+(?=")/g),
    );
    const tested = read("./") + [...securityLineRules, ...performanceLineRules].map(({ id }) => `"${id}`).join("");
    expect(known.size).toBeGreaterThan(70);
    expect([...known].filter((rule) => !tested.includes(rule)).toSorted()).toEqual([]);
  });
});

describe("secrets", () => {
  it("are critical where they ship, and a habit in tests and examples", async () => {
    const severity = async (path: string): Promise<string | undefined> =>
      (await findingsOf(secretsInText, { [path]: `t = "${token}"\n` }))[0]?.severity;
    expect(await severity("src/a.py")).toBe("critical");
    expect(await severity("tests/test_a.py")).toBe("low");
    expect(await severity("docs/a.md")).toBe("low");
  });

  it("are high, not critical, while they are not under version control", async () => {
    const folder = makeProject({ "a.js": "1", ".env": "API_TOKEN=k3Jd93hfLs02\n" });
    git(folder, ["init", "-q"]);
    git(folder, ["add", "a.js"]);
    git(folder, ["commit", "-qm", "one"]);
    expect((await findingsOf(secretFiles, folder))[0]?.severity).toBe("high");
    git(folder, ["add", ".env"]);
    expect((await findingsOf(secretFiles, folder))[0]?.severity).toBe("critical");
  });

  it("never appear in what is reported", async () => {
    const found = await findingsOf(secretsInText, { "a.js": `const t = "${token}";\n` });
    expect(JSON.stringify(found)).not.toContain(token.slice(8));
  });
});

describe("what history tells", () => {
  const day = 86_400_000;
  const start = Date.parse("2026-01-01T00:00:00Z");

  it("a file that changes often and is hard to change is a hotspot", async () => {
    const folder = makeProject({ "a.js": tangled(8) });
    git(folder, ["init", "-q"]);
    for (let index = 0; index < 12; index++) {
      writeFileSync(`${folder}/a.js`, `${tangled(8)}// ${index}\n`);
      git(folder, ["add", "."]);
      git(folder, ["commit", "-qm", `${index}`], new Date(start + index * day).toISOString());
    }
    const found = await findingsOf(hotspots, folder);
    expect(found).toEqual([
      expect.objectContaining({
        rule: "maintainability/hotspot",
        file: "a.js",
        line: 1,
        figure: expect.stringContaining("12 commits"),
      }),
    ]);
  });

  it("silence of a year is medium, of two years high", async () => {
    const folder = makeProject({ "a.js": "1" });
    git(folder, ["init", "-q"]);
    git(folder, ["add", "."]);
    git(folder, ["commit", "-qm", "one"]);
    const severity = async (days: number): Promise<string | undefined> =>
      (await findingsOf(rhythm, folder, start + days * day)).find(({ rule }) => rule === "business/quiet")?.severity;
    expect([await severity(100), await severity(400), await severity(800)]).toEqual([undefined, "medium", "high"]);
  });

  it("finished work that waits for a release is told, and who alone carries a project", async () => {
    const folder = makeProject({});
    git(folder, ["init", "-q"]);
    const commit = (index: number, author: string): string =>
      `commit refs/heads/main\ncommitter ${author} <${author}@invalid> ${start / 1_000 + index * 4 * 86_400} +0000\ndata 1\n.\nM 100644 inline a.js\ndata 3\n${String(index).padStart(3, "0")}\n`;
    const commits = (authors: readonly string[]): string =>
      authors.map((author, index) => commit(index, author)).join("");
    execFileSync("git", ["fast-import", "--quiet"], {
      cwd: folder,
      input: commits(Array.from({ length: 60 }, (_, index) => (index === 30 ? "Two" : "One"))),
    });
    git(folder, ["symbolic-ref", "HEAD", "refs/heads/main"]);
    git(folder, ["reset", "-q", "--hard"]);
    git(folder, ["tag", "v1", "HEAD~55"]);
    expect((await findingsOf(rhythm, folder, start)).map(({ rule, figure }) => [rule, figure])).toEqual([
      ["business/unreleased-work", "55 commits in 220 days since v1"],
    ]);
    expect((await findingsOf(hotspots, folder)).map(({ rule, figure }) => [rule, figure])).toEqual([
      ["maintainability/lone-carrier", "98 % of 60 commits by one of 2 authors"],
    ]);
  });

  it("a repository should say how to report a weakness; elsewhere the question does not arise", async () => {
    const folder = makeProject({ "a.js": "1" });
    expect((await runCheck(securityPolicy, folder)).state).toBe("not-applicable");
    git(folder, ["init", "-q"]);
    git(folder, ["add", "."]);
    git(folder, ["commit", "-qm", "one"]);
    expect((await findingsOf(securityPolicy, folder)).map(({ rule }) => rule)).toEqual(["security/no-policy"]);
  });
});

describe("what cannot be measured", () => {
  it.each([
    [tests, { "package.json": manifest(), "a.js": steps(200) }, "unavailable"],
    [rhythm, { "a.js": "1" }, "unavailable"],
    [hotspots, { "a.js": "1" }, "unavailable"],
    [dependencyLicences, { "package.json": depends() }, "unavailable"],
    [lockfiles, { "package.json": depends(), "bun.lockb": "\0" }, "unavailable"],
    [complexity, { "README.md": "# A" }, "not-applicable"],
    [slowCalls, { "a.py": "a = 1" }, "not-applicable"],
    [licence, { "README.md": "# A" }, "not-applicable"],
    [licence, { "package.json": json({ name: "a", private: true }) }, "not-applicable"],
    [metadata, { "package.json": json({ private: true }) }, "not-applicable"],
    [readme, { "photo.png": "x" }, "not-applicable"],
    [commandHelp, { "package.json": manifest({ bin: "dist/cli.js" }) }, "not-applicable"],
    [accessibility, { "a.ts": "1" }, "not-applicable"],
  ] as const)("%# is %s: said, not guessed", async (check, files, state) => {
    expect((await runCheck(check, files)).state).toBe(state);
  });
});

describe("small parts", () => {
  it("sorts licences by what they ask", () => {
    expect(["MIT", "MPL-2.0", "AGPL-3.0-only", "LGPL-2.1-or-later", "BUSL-1.1"].map(kindOfLicence)).toEqual([
      "permissive",
      "weak-copyleft",
      "strong-copyleft",
      "weak-copyleft",
      "source-available",
    ]);
    expect(kindOfExpression({ conjunction: "or", left: { license: "GPL-3.0-only" }, right: { license: "MIT" } })).toBe(
      "permissive",
    );
    expect(kindOfExpression({ conjunction: "and", left: { license: "GPL-3.0-only" }, right: { license: "MIT" } })).toBe(
      "strong-copyleft",
    );
    expect(kindOfExpression({ license: "GPL-2.0-only", exception: "Classpath-exception-2.0" })).toBe("weak-copyleft");
  });

  it("finds every group of modules in a circle, and nothing in a tree", () => {
    const edges = (...to: string[]) => to.map((name) => ({ to: name, line: 1 }));
    expect(
      findCycles(
        new Map([
          ["a", edges("b")],
          ["b", edges("c", "d")],
          ["c", edges("a")],
          ["d", edges("e")],
          ["e", edges("d")],
          ["f", edges("a")],
        ]),
      ),
    ).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    expect(
      findCycles(
        new Map([
          ["a", edges("b", "c")],
          ["b", edges("c")],
          ["c", []],
        ]),
      ),
    ).toEqual([]);
  });
});
