import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTroupe, type AgentDefinition, type Troupe } from "troupe";
import { FakeClock } from "troupe/testing";
import makeAgents from "../../examples/workflows/agents.ts";

const examples = join(import.meta.dirname, "../../examples/workflows");
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-flows-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(files: { readonly [path: string]: string }): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const read = (path: string): string => readFileSync(join(folder, path), "utf8");

async function openTroupe(options: Parameters<typeof createTroupe>[0] = {}): Promise<Troupe> {
  const troupe = await createTroupe(options);
  for (const agent of makeAgents(troupe) as readonly AgentDefinition[]) await troupe.spawn(agent);
  await troupe.workflows.load(examples);
  const importModule = (url: string): Promise<unknown> => import(url) as Promise<unknown>;
  await troupe.workflows.load(join(examples, "governed-delivery.ts"), { importModule });
  return troupe;
}

/** Runs a workflow of the folder to its end. */
async function runFlow(key: string, input: object): Promise<any> {
  await using troupe = await openTroupe();
  const run = await troupe.run(key, input);
  return await run.result();
}

const project = {
  "package.json": '{ "name": "sample", "type": "module", "license": "MIT", "version": "1.0.0" }',
  "src/add.mjs": "export function add(a, b) {\n  return a + b;\n}\n",
  "src/twice.mjs": 'import { add } from "./add.mjs";\nexport const twice = (a) => add(a, a);\nconsole.log("TODO");\n',
  "test/add.test.mjs": 'import "node:assert";\n',
};

test("the folder holds seven workflows, each of which says how it is run", () => {
  const flows = readdirSync(examples).filter((name) => /\.(yaml|json)$/.test(name) || name === "governed-delivery.ts");
  expect(flows).toHaveLength(7);
  for (const name of flows)
    expect(readFileSync(join(examples, name), "utf8")).toContain(`npx troupe run examples/workflows/${name}`);
});

test("code development writes the missing test, runs all of them, and reports what reviewers saw", async () => {
  put(project);
  const outcome = await runFlow("code-development", { folder });
  expect(outcome).toMatchObject({ ok: true, value: { modules: 2, written: ["test/twice.test.mjs"] } });
  expect(outcome.value.concerns).toEqual([{ path: "src/twice.mjs", line: 3, text: 'left over: console.log("TODO");' }]);
  expect(read("test/twice.test.mjs")).toContain("module.twice");
  expect(read("REPORT.md")).toContain("2 modules, 1 tests written, 1 concerns");
});

test("code development takes its tests away again when they fail", async () => {
  put({ ...project, "src/broken.mjs": "export const one = 1;\nthrow new Error('broken');\n" });
  expect(await runFlow("code-development", { folder })).toMatchObject({
    ok: false,
    failure: { code: "command/failed" },
  });
  expect(readdirSync(join(folder, "test"))).toEqual(["add.test.mjs"]);
  expect(existsSync(join(folder, "REPORT.md"))).toBe(false);
});

test("research and decision settles the question by the votes of those who looked", async () => {
  put({ ...project, "README.md": "# Sample\n", LICENSE: "MIT" });
  const outcome = await runFlow("research-and-decision", { folder, question: "Adopt it?" });
  expect(outcome).toMatchObject({ ok: true, value: { option: "adopt" } });
  expect(outcome.value.facts.map((fact: { topic: string }) => fact.topic)).toEqual([
    "tests",
    "documents",
    "manifest",
    "licence",
  ]);
  expect(read("DECISION.md")).toMatch(/^# Adopt it\?\n\n\*\*adopt\*\*, agreement 0\.\d/);
  for (const path of ["package.json", "LICENSE"]) rmSync(join(folder, path));
  expect(await runFlow("research-and-decision", { folder, question: "Adopt it?" })).toMatchObject({
    ok: true,
    value: { option: "wait" },
  });
  put({ LICENSE: "MIT" });
  rmSync(join(folder, "DECISION.md"));
  const undecided = await runFlow("research-and-decision", { folder, question: "Adopt it?" });
  expect(undecided).toMatchObject({ ok: true, value: { option: "wait", agreement: 0 } });
});

test("project setup makes a project whose test passes, in a repository of its own", async () => {
  const place = join(folder, "new");
  mkdirSync(place);
  const outcome = await runFlow("project-setup", { folder: place, name: "sample" });
  expect(outcome).toEqual({ ok: true, value: { name: "sample", commit: "sample" } });
  expect(execFileSync("git", ["status", "--porcelain"], { cwd: place, encoding: "utf8" })).toBe("");
  expect(JSON.parse(readFileSync(join(place, "package.json"), "utf8"))).toMatchObject({ name: "sample" });
});

test("project setup leaves nothing behind when a step fails", async () => {
  put({ ".git": "in the way of a repository" });
  expect(await runFlow("project-setup", { folder, name: "sample" })).toMatchObject({ ok: false });
  expect(readdirSync(folder)).toEqual([".git"]);
});

const feature = { name: "shout", functions: [{ name: "shout", body: "(text) {\n  return text.toUpperCase();\n}" }] };

test("feature implementation writes code, document and test, and ends by itself where the review is clean", async () => {
  put(project);
  expect(await runFlow("feature-implementation", { folder, ...feature })).toMatchObject({
    ok: true,
    value: { module: "src/shout.mjs", concerns: [], approved: null },
  });
  expect(read("src/shout.mjs")).toContain("toUpperCase");
  expect(read("docs/shout.md")).toContain("- `shout`");
});

test.each([
  [true, { ok: true, value: { approved: true } }, true],
  [false, { ok: false, failure: { code: "workflow/failed-by-definition" } }, false],
])("feature implementation asks a person where it is not: %j", async (approved, expected, isThere) => {
  put(project);
  await using troupe = await openTroupe();
  const functions = [{ name: "shout", body: "(text) {\n  console.log(text);\n}" }];
  const run = await troupe.run("feature-implementation", { folder, name: "shout", functions });
  // Polling: the run waits for a person, and no promise tells that it does.
  await expect.poll(async () => (await run.status()).currentSteps?.map(({ path }) => path)).toEqual(["approval"]);
  await run.signal("approval", { approved });
  expect(await run.result()).toMatchObject(expected);
  expect(existsSync(join(folder, "src/shout.mjs"))).toBe(isThere);
});

const rows = (bad: number): string =>
  ["item,price", ...Array.from({ length: 20 }, (_, at) => `"thing ${at}",${at < bad ? "?" : "2.5"}`)].join("\n");

test("data processing leaves a tenth of bad records out, and reads the backup where the file is missing", async () => {
  put({ "sales.csv": rows(2) });
  const summary = { count: 18, total: 45, mean: 2.5, rejected: 2 };
  const input = { folder, amount: "price", file: "sales.csv" };
  expect(await runFlow("data-processing", input)).toEqual({ ok: true, value: { source: "sales.csv", summary } });
  expect(JSON.parse(read("summary.json"))).toEqual(summary);
  expect(existsSync(join(folder, "FAILED.txt"))).toBe(false);
  expect(await runFlow("data-processing", { ...input, file: "none.csv", backup: "sales.csv" })).toMatchObject({
    ok: true,
    value: { source: "sales.csv" },
  });
});

test.each([
  ["too many bad records", "sales.csv", rows(3), /records\/bad-amount|workflow\//],
  ["no file and no backup", "none.csv", rows(0), /^files\/unreadable: /],
])("data processing fails and leaves a notice: %s", async (_what, file, text, notice) => {
  put({ "sales.csv": text });
  expect(await runFlow("data-processing", { folder, amount: "price", file })).toMatchObject({ ok: false });
  expect(read("FAILED.txt")).toMatch(notice);
  expect(existsSync(join(folder, "summary.json"))).toBe(false);
});

test("governed delivery has every module reviewed by the reviewers that the first level named", async () => {
  put({ "code/add.mjs": "export const add = 1;\n", "papers/guide.md": "# Guide\n", "README.md": "# Read me\n" });
  const outcome = await runFlow("governed-delivery", { folder });
  expect(outcome).toMatchObject({ ok: true, value: { verdict: "delivered" } });
  expect(outcome.value.reviewers.toSorted()).toEqual(["debris", "documentation", "security", "size", "style"]);
  expect(outcome.value.modules.map(({ module }: { module: string }) => module).toSorted()).toEqual([
    ".",
    "code",
    "papers",
  ]);
  rmSync(join(folder, "code"), { recursive: true });
  put({ "papers/draft.md": "# Draft\nTODO\n" });
  const held = await runFlow("governed-delivery", { folder });
  expect(held).toMatchObject({
    ok: true,
    value: { verdict: "held", reviewers: ["debris", "security", "documentation"] },
  });
  expect(held.value.modules.flatMap((one: { concerns: object[] }) => one.concerns)).toEqual([
    { path: "papers/draft.md", line: 2, text: "left over: TODO", reviewer: "debris" },
  ]);
  expect(existsSync(join(folder, "HELD.json"))).toBe(true);
});

test.each([
  ["a yes keeps the notes", { approved: true }, true],
  ["a no removes them", { approved: false }, false],
  ["a week without an answer removes them", undefined, false],
])("release notes begin with an event: %s", async (_what, answer, published) => {
  put({ "a.txt": "a" });
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: folder, encoding: "utf8" });
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "the first change");
  const clock = new FakeClock();
  await using troupe = await openTroupe({ ports: { clock } });
  expect((await troupe.emit("release.published", { folder })).started).toEqual([]);
  const { started } = await troupe.emit("release.published", { folder, tag: "v1" });
  const run = await troupe.runs.get(started[0] ?? "");
  await expect.poll(async () => (await run.status()).currentSteps?.map(({ path }) => path)).toEqual(["approval"]);
  expect(read("RELEASE-NOTES.draft.md")).toBe("# v1\n\n- the first change\n");
  if (answer === undefined) await clock.advance(8 * 86_400_000);
  else await run.signal("approval", answer);
  expect(await run.result()).toEqual({ ok: true, value: { tag: "v1", published } });
  expect(existsSync(join(folder, "RELEASE-NOTES.md"))).toBe(published);
  expect(existsSync(join(folder, "RELEASE-NOTES.draft.md"))).toBe(false);
});
