import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { rootFolder } from "./source-files.ts";

/** What a child process said. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const leftOut = new Set(["node_modules", "dist", ".git", ".troupe", "coverage"]);

/** Longest run of one child process, in milliseconds: an install over a slow network, tried again by npm itself. */
const childMs = 240_000;

/** The environment of a user's shell: without what `npm run` adds, and with this Node.js first on PATH. */
function userEnvironment(path: string | undefined): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_local_prefix)|INIT_CWD|VITEST|NODE_ENV)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: path ?? [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
  };
}

/** Runs a program and throws with its output when it fails, unless `allowFailure`; `path` replaces PATH. */
export function runProgram(
  cwd: string,
  command: readonly string[],
  options: { allowFailure?: boolean; path?: string } = {},
): Run {
  const [program = "", ...argv] = command;
  const run = spawnSync(program, argv, { cwd, encoding: "utf8", env: userEnvironment(options.path), timeout: childMs });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0 && options.allowFailure !== true) {
    throw new Error(`${command.join(" ")} ended with ${String(run.status)} in ${cwd}:\n${run.stdout}${run.stderr}`);
  }
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

/** Runs npm: the one that runs these tests, else the first on PATH. */
export function runNpm(cwd: string, ...argv: string[]): Run {
  const script = process.env["npm_execpath"];
  const npm = script !== undefined && /npm-cli\.[cm]?js$/.test(script) ? [process.execPath, script] : ["npm"];
  return runProgram(cwd, [...npm, ...argv]);
}

/** Runs the compiler of this repository on a project. */
export function runCompiler(cwd: string, ...argv: string[]): Run {
  return runProgram(cwd, [process.execPath, join(rootFolder, "node_modules", "typescript", "bin", "tsc"), ...argv]);
}

/** A package built and packed from a private copy of the tree, so that nobody's `dist` is touched. */
export class PackedPackage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "troupe-pack-"));
  /** The copy it was built in. */
  readonly copy = join(this.folder, "copy");
  readonly tarball: string;
  /** Paths inside the tarball. */
  readonly files: readonly string[];
  readonly unpackedBytes: number;

  constructor() {
    cpSync(rootFolder, this.copy, { recursive: true, filter: (source) => !leftOut.has(basename(source)) });
    symlinkSync(join(rootFolder, "node_modules"), join(this.copy, "node_modules"), "dir");
    runCompiler(this.copy, "-p", "tsconfig.build.json");
    const packed = runNpm(this.copy, "pack", "--ignore-scripts", "--json", "--pack-destination", this.folder);
    const listed = JSON.parse(packed.stdout) as unknown;
    // npm 12 lists packages by name, older ones in an array.
    const [report] = Object.values(
      listed as Record<string, { filename: string; unpackedSize: number; files: { path: string }[] }>,
    );
    if (report === undefined) throw new Error(`npm pack reported nothing:\n${packed.stdout}`);
    this.tarball = join(this.folder, report.filename);
    this.files = report.files.map((file) => file.path);
    this.unpackedBytes = report.unpackedSize;
  }

  /** Makes a clean project that has installed the tarball, and `more` packages with it. */
  installInto(name: string, more: readonly string[] = []): string {
    const project = join(this.folder, name);
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{ "name": "clean", "private": true, "type": "module" }\n');
    runNpm(
      project,
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      this.tarball,
      ...more,
    );
    return project;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Lends a clean project the types of Node.js that this repository has, so that it needs no download. */
export function linkNodeTypes(project: string): void {
  mkdirSync(join(project, "node_modules", "@types"), { recursive: true });
  for (const name of [join("@types", "node"), "undici-types"]) {
    symlinkSync(join(rootFolder, "node_modules", name), join(project, "node_modules", name), "dir");
  }
}
