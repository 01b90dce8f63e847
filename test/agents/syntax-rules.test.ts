import { Lang } from "@ast-grep/napi";
import { describe, expect, it } from "vitest";
import { performanceSyntaxRules } from "../../agents/performance/calls.ts";
import type { ProjectFile } from "../../agents/project/files.ts";
import { languageOf } from "../../agents/project/roles.ts";
import { outlineOf } from "../../agents/project/outline.ts";
import { loadParser } from "../../agents/project/syntax.ts";
import { securitySyntaxRules } from "../../agents/security/calls.ts";
import { applyRule, type SyntaxRule } from "../../agents/syntax-scan.ts";
import { messageRules } from "../../agents/user-experience/messages.ts";

const allRules: readonly SyntaxRule[] = [...securitySyntaxRules, ...performanceSyntaxRules, ...messageRules];

async function applyAll(rules: readonly SyntaxRule[], code: string, path: string) {
  const loaded = await loadParser();
  if (!loaded.ok) throw new Error(loaded.why);
  const file: ProjectFile = { path, depth: 0, bytes: code.length, language: languageOf(path), role: "source" };
  const tree = await loaded.parser.parse({
    file,
    text: code,
    lines: 1,
    longestLine: 1,
    machineMade: false,
    lineAt: () => 1,
  });
  if (tree === undefined) throw new Error("not parsed");
  const outline = outlineOf(tree);
  return rules
    .filter((rule) => rule.languages?.includes(file.language) !== false && rule.hint.test(code))
    .flatMap((rule) => applyRule(rule, tree, outline));
}

interface Case {
  readonly rule: string;
  readonly bad: string;
  /** A near miss that must stay silent. */
  readonly good: string;
  readonly line?: number;
  readonly path?: string;
}

const cp = `import { exec, spawn } from "node:child_process";\n`;
// Put together here so that no scanner takes this file for a leak.
const credential = ["s9Kd", "72hQ", "pL0x", "Vb41"].join("");

const cases: readonly Case[] = [
  { rule: "security/eval", bad: "\n\neval(input);", good: `eval("1 + 1"); object.eval(input);`, line: 3 },
  {
    rule: "security/code-from-text",
    bad: `const f = new Function("a", body);`,
    good: `const root = new Function("return this")();`,
  },
  {
    rule: "security/shell-command",
    bad: `${cp}exec(\`rm \${name}\`);`,
    good: `${cp}exec("ls -l"); /x/.exec(text);`,
    line: 2,
  },
  {
    rule: "security/shell-command",
    bad: `const cp = require("child_process");\ncp.execSync("tar " + file);`,
    good: `const cp = require("child_process");\nconst command = "ls";\ncp.execSync(command);`,
    line: 2,
  },
  {
    rule: "security/shell-command",
    bad: `${cp}spawn(command, args, { shell: true });`,
    good: `${cp}spawn(command, args);`,
    line: 2,
  },
  {
    rule: "security/sql-from-text",
    bad: "db.query(`SELECT * FROM users WHERE id = ${id}`);",
    good: "db.query(`SELECT * FROM ${table} WHERE id = ?`, [id]); db.query(sql`SELECT a FROM b WHERE id = ${id}`);",
  },
  {
    rule: "security/sql-from-text",
    bad: `pool.execute("DELETE FROM t WHERE name = '" + name + "'");`,
    good: `pool.execute("DELETE FROM t " + "WHERE name = ?", [name]);`,
  },
  {
    rule: "security/hard-coded-credential",
    bad: `const apiKey = "${credential}";`,
    good: `const apiKey = "your-api-key-here"; const passwordField = "password"; const secret = process.env.SECRET;`,
  },
  {
    rule: "security/hard-coded-credential",
    bad: `class A { private password: string = "${credential}"; }`,
    good: `class A { keyboard = "${credential}"; }`,
  },
  {
    rule: "security/guessable-secret",
    bad: "const sessionToken = Math.random().toString(36);",
    good: "const jitter = Math.random() * 10;",
  },
  {
    rule: "security/html-from-text",
    bad: "node.innerHTML = comment.body;",
    good: `node.innerHTML = ""; other.innerHTML = sanitize(comment.body);`,
  },
  {
    rule: "security/html-from-text",
    bad: "const a = <div dangerouslySetInnerHTML={{ __html: text }} />;",
    good: "const a = <div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(text) }} />;",
    path: "a.tsx",
  },
  {
    rule: "security/tls-verification-off",
    bad: "request({ rejectUnauthorized: false });",
    good: "request({ rejectUnauthorized: true });",
  },
  {
    rule: "security/tls-verification-off",
    bad: `process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";`,
    good: `process.env.NODE_TLS_REJECT_UNAUTHORIZED = "1";`,
  },
  { rule: "security/weak-hash", bad: `createHash("md5");`, good: `createHash("sha256"); createHash(algorithm);` },
  {
    rule: "security/weak-cipher",
    bad: `crypto.createCipheriv("aes-128-ecb", key, null);`,
    good: `crypto.createCipheriv("aes-256-gcm", key, nonce);`,
  },
  {
    rule: "security/path-from-request",
    bad: "res.sendFile(req.params.name);",
    good: "res.sendFile(basename(req.params.name)); res.sendFile(known);",
  },
  { rule: "security/redirect-from-request", bad: "res.redirect(req.query.next);", good: `res.redirect("/login");` },
  {
    rule: "security/token-algorithm",
    bad: `verify(token, key, { algorithms: ["none"] });`,
    good: `verify(token, key, { algorithms: ["RS256"] });`,
  },
  {
    rule: "security/window-privileges",
    bad: "new BrowserWindow({ webPreferences: { nodeIntegration: true } });",
    good: "new BrowserWindow({ webPreferences: { nodeIntegration: false } });",
  },
  {
    rule: "security/message-to-anyone",
    bad: `frame.postMessage(data, "*");`,
    good: `frame.postMessage(data, origin);`,
  },
  {
    rule: "security/unsafe-deserialisation",
    bad: `import { unserialize } from "node-serialize";`,
    good: `import { deserialize } from "node:v8";`,
  },
  {
    rule: "performance/blocking-call",
    bad: `async function load() {\n  return readFileSync("a");\n}`,
    good: `function load() { return readFileSync("a"); }`,
    line: 2,
  },
  {
    rule: "performance/blocking-call",
    bad: `app.get("/", (req, res) => { res.send(fs.readFileSync("a")); });`,
    good: `const page = fs.readFileSync("a"); app.get("/", (req, res) => { res.send(page); });`,
  },
  {
    rule: "performance/copy-per-step",
    bad: "list.reduce((all, one) => ({ ...all, [one.id]: one }), {});",
    good: "list.reduce((sum, one) => sum + one, 0);",
  },
  {
    rule: "performance/copy-per-step",
    bad: "list.reduce((all, one) => [...all, one.id], []);",
    good: "list.reduce((all, one) => { all.push(one); return all; }, []);",
  },
  {
    rule: "performance/search-in-search",
    bad: "function f(a: string[], known: string[]) { return a.filter((one) => !known.includes(one)); }",
    good: "function f(a: string[], known: Set<string>) { return a.filter((one) => !word.includes(one)); }",
  },
  {
    rule: "performance/slow-distinct",
    bad: "list.filter((one, index) => list.indexOf(one) === index);",
    good: "[...new Set(list)];",
  },
  {
    rule: "performance/copy-by-text",
    bad: "const copy = JSON.parse(JSON.stringify(value));",
    good: "const copy = JSON.parse(text);",
  },
  {
    rule: "performance/unbounded-parallel",
    bad: "await Promise.all(urls.map((url) => fetch(url)));",
    good: "await Promise.all(chunk.map((url) => limit(() => fetch(url)))); await Promise.all(list.map(double));",
  },
  {
    rule: "performance/sort-for-one",
    bad: "const best = list.sort((a, b) => b - a)[0];",
    good: "const sorted = list.sort((a, b) => b - a);",
  },
  {
    rule: "performance/timer-never-cleared",
    bad: "setInterval(tick, 1000);",
    good: "const timer = setInterval(tick, 1000); setInterval(tick, 1000).unref();",
  },
  {
    rule: "performance/effect-without-cleanup",
    bad: `useEffect(() => { window.addEventListener("resize", f); }, []);`,
    good: `useEffect(() => { window.addEventListener("resize", f); return () => window.removeEventListener("resize", f); }, []);`,
    path: "a.tsx",
  },
  {
    rule: "user-experience/wordless-error",
    bad: "throw new Error();",
    good: `throw new NotFound(); throw new Error("the file is missing");`,
  },
  {
    rule: "user-experience/cryptic-error",
    bad: `throw new Error("failed");`,
    good: `throw new Error("failed to open the file");`,
  },
  { rule: "user-experience/thrown-text", bad: `throw "no";`, good: `throw error;` },
];

describe("rules over syntax trees", () => {
  it.each(cases)("$rule finds: $bad", async ({ rule, bad, line, path }) => {
    const found = (await applyAll(allRules, bad, path ?? "a.ts")).filter((finding) => finding.rule === rule);
    expect(found.map((finding) => finding.line)).toEqual([line ?? 1]);
    expect(found[0]?.file).toBe(path ?? "a.ts");
  });

  it.each(cases)("$rule lets pass: $good", async ({ rule, good, path }) => {
    const found = (await applyAll(allRules, good, path ?? "a.ts")).filter((finding) => finding.rule === rule);
    expect(found).toEqual([]);
  });

  it("has a case for every rule", () => {
    expect([...new Set(cases.map(({ rule }) => rule))].toSorted()).toEqual(
      [...new Set(allRules.map(({ id }) => id))].toSorted(),
    );
  });

  it("names only kinds that each of its grammars knows", async () => {
    const grammars = { typescript: Lang.TypeScript, tsx: Lang.Tsx, javascript: Lang.JavaScript };
    const { parse } = await import("@ast-grep/napi");
    let compiled = 0;
    for (const rule of allRules) {
      for (const language of rule.languages ?? Object.keys(grammars)) {
        const root = parse(grammars[language as keyof typeof grammars], "a;").root();
        expect(() => root.findAll({ rule: rule.match }), `${rule.id} in ${language}`).not.toThrow();
        compiled++;
      }
    }
    expect(compiled).toBeGreaterThan(allRules.length * 2);
  });
});
