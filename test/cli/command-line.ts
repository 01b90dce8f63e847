import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const root = join(import.meta.dirname, "../..");
/** Runs the command from source: the same `main` that bin/troupe.js runs from dist. */
const program = `import { main } from ${JSON.stringify(join(root, "src/cli/main.ts"))}; process.exitCode = await main(process.argv.slice(1));`;

/** A process of the command that goes on until it is told to stop. */
export function startProgram(args: readonly string[], cwd: string): ChildProcess {
  const all = ["--conditions=troupe-source", "--input-type=module", "--eval", program, "--", ...args];
  return spawn(process.execPath, all, {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real process of the command, and ways to interrupt or kill it when it says something. */
export function startTroupe(
  args: readonly string[],
  cwd: string,
): {
  readonly finished: Promise<Finished>;
  interruptOn(text: string): void;
  killOn(text: string): void;
  said(text: string): Promise<void>;
  interrupt(): void;
} {
  const child = spawn(
    process.execPath,
    ["--conditions=troupe-source", "--input-type=module", "--eval", program, "--", ...args],
    {
      cwd,
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  let stdout = "";
  let stderr = "";
  let cue: string | undefined;
  let blow: NodeJS.Signals = "SIGINT";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (cue === undefined || !stderr.includes(cue)) return;
    cue = undefined;
    child.kill(blow);
  });
  const finished = new Promise<Finished>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  const on = (text: string, signal: NodeJS.Signals): void => {
    cue = text;
    blow = signal;
  };
  return {
    finished,
    interruptOn: (text) => on(text, "SIGINT"),
    killOn: (text) => on(text, "SIGKILL"),
    said: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve();
        };
        child.stderr.on("data", look);
        look();
      }),
    interrupt: () => void child.kill("SIGINT"),
  };
}

/** Runs the command with its standard output going to a file, and resolves with how it ended. */
export async function troupeInto(
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<Omit<Finished, "stdout">> {
  const output = openSync(file, "w");
  const child = spawn(
    process.execPath,
    ["--conditions=troupe-source", "--input-type=module", "--eval", program, "--", ...args],
    { cwd, stdio: ["ignore", output, "pipe"] },
  );
  closeSync(output);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}

export function troupe(args: readonly string[], cwd: string): Promise<Finished> {
  return startTroupe(args, cwd).finished;
}

/** Tells what a process has loaded, when it ends. */
const watchLoads = `import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
process.on("exit", () => process.stderr.write("\\nloaded:" + JSON.stringify(urls)));`;

/** What a command line loads before it ends: files of the house, and packages by name. */
export async function loadedBy(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly files: readonly string[]; readonly packages: readonly string[] }> {
  const options = ["--conditions=troupe-source", "--import", `data:text/javascript,${encodeURIComponent(watchLoads)}`];
  const child = spawn(process.execPath, [...options, "--input-type=module", "--eval", program, "--", ...args], { cwd });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await new Promise((resolve) => child.on("close", resolve));
  const urls = JSON.parse(stderr.slice(stderr.lastIndexOf("loaded:") + "loaded:".length)) as string[];
  const paths = urls.filter((url) => url.startsWith("file:")).map((url) => relative(root, fileURLToPath(url)));
  const packages = paths.flatMap((path) => /(?:^|\/)node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
  return {
    files: paths.filter((path) => !path.includes("node_modules/")),
    packages: [...new Set(packages)].toSorted(),
  };
}

/** A temporary folder with the given files; removed when the test file is done. */
export function makeFolder(files: { readonly [path: string]: string } = {}): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "troupe-cli-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Folders for one file of tests; each is gone after the test that made it. */
export function useFolders(): () => string {
  const folders: { remove(): void }[] = [];
  afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
  return () => {
    const folder = makeFolder();
    folders.push(folder);
    return folder.path;
  };
}
