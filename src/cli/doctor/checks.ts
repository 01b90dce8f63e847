import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

/** What a check found, in words that say what to do. */
export interface Finding {
  readonly ok: boolean;
  readonly message: string;
  /** Troupe works without it, only less. */
  readonly isOptional: boolean;
}

/** One line of `troupe doctor`. Later rooms add theirs to the list below. */
export interface DoctorCheck {
  readonly name: string;
  run(cwd: string): Promise<Finding>;
}

/** How long one check may take. */
const checkTimeoutMs = 5_000;

const oldestNode = 24;

const node: DoctorCheck = {
  name: "node",
  async run() {
    const ok = Number(process.versions.node.split(".")[0]) >= oldestNode;
    return {
      ok,
      isOptional: false,
      message: ok
        ? `Node.js ${process.versions.node}`
        : `Node.js ${process.versions.node} is too old; install ${oldestNode} or newer, or npm i -D node@${oldestNode}`,
    };
  },
};

const git: DoctorCheck = {
  name: "git",
  run: () =>
    new Promise((resolve) => {
      execFile("git", ["--version"], { timeout: checkTimeoutMs }, (error, stdout) => {
        const ok = error === null;
        resolve({
          ok,
          isOptional: true,
          message: ok ? stdout.trim() : "git is not found; experts leave out what they read from history",
        });
      });
    }),
};

const state: DoctorCheck = {
  name: "state folder",
  async run(cwd) {
    const folder = join(cwd, ".troupe");
    try {
      accessSync(existsSync(folder) ? folder : cwd, constants.W_OK);
      return { ok: true, isOptional: true, message: `${folder} can be written` };
    } catch {
      return { ok: false, isOptional: true, message: `${folder} cannot be written; give --out to commands that write` };
    }
  },
};

/** Packages that are used when they are installed, and what is missing without them. */
const optionalPackages: readonly (readonly [name: string, use: string])[] = [
  ["@ast-grep/napi", "experts read no syntax trees"],
  ["@secretlint/core", "no scan for secrets"],
  ["@secretlint/secretlint-rule-preset-recommend", "no scan for secrets"],
  ["@eslint-community/regexpp", "no look at regular expressions that can hang"],
  ["github-slugger", "links to headings are not checked"],
  ["ignore", ".gitignore is not honoured"],
  ["mdast-util-from-markdown", "documents are read as plain text"],
  ["semver", "version ranges are not judged"],
  ["spdx-expression-parse", "licence expressions are not read"],
  ["publint", "package metadata is not checked"],
  ["msgpackr", "nodes talk in JSON only"],
  ["@statelyai/inspect", "no Stately Inspector"],
];

function optionalPackage([name, without]: readonly [string, string]): DoctorCheck {
  return {
    name,
    async run() {
      try {
        import.meta.resolve(name);
        return { ok: true, isOptional: true, message: "installed" };
      } catch {
        return { ok: false, isOptional: true, message: `not installed: ${without}; npm i ${name}` };
      }
    },
  };
}

export const checks: readonly DoctorCheck[] = [node, git, state, ...optionalPackages.map(optionalPackage)];
