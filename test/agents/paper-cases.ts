import { dependencyHealth } from "../../agents/business/dependencies.ts";
import { dependencyLicences, licence } from "../../agents/business/licences.ts";
import { metadata, packaging } from "../../agents/business/metadata.ts";
import { changeLog, ownership } from "../../agents/business/release.ts";
import { accessibility } from "../../agents/user-experience/accessibility.ts";
import { documents } from "../../agents/user-experience/documents.ts";
import { commandHelp } from "../../agents/user-experience/messages.ts";
import { readme } from "../../agents/user-experience/readme.ts";
import { shippedTypes } from "../../agents/user-experience/shipped-types.ts";

import { manifest, mit, locked, good, depends, type CheckCase } from "./case-projects.ts";

/** Cases of what a package says of itself: licence, releases, documents, declarations, pages. */
export const paperCases: readonly CheckCase[] = [
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
