import { spawn } from "node:child_process";
import { devNull } from "node:os";
import { gitBytesMax, gitTimeoutMs } from "./limits.ts";

export type GitAnswer =
  | { readonly ok: true; readonly text: string; readonly cut: boolean }
  | { readonly ok: false; readonly why: string };

/**
 * A folder under examination may carry a hostile .git/config. These settings keep git from running anything it
 * names (hooks, file-system monitors, pagers, signature programs, remote helpers), from asking, and from writing.
 * Source: git-config(1), the variables that take a command.
 */
const hardened = [
  "--no-pager",
  "--no-optional-locks",
  "--no-replace-objects",
  "--literal-pathspecs",
  ...[
    "core.fsmonitor=false",
    `core.hooksPath=${devNull}`,
    "core.pager=cat",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=",
    "core.alternateRefsCommand=false",
  ].flatMap((setting) => ["-c", setting]),
  ...[
    "core.attributesFile=",
    "core.excludesFile=",
    "diff.external=",
    "log.showSignature=false",
    "gpg.program=false",
    "credential.helper=",
    "protocol.allow=never",
    "submodule.recurse=false",
  ].flatMap((setting) => ["-c", setting]),
];

/** Only what git needs: in particular no GIT_DIR, GIT_EXTERNAL_DIFF or credentials of the person who runs this. */
function environment(): Record<string, string> {
  const kept: Record<string, string> = {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_SYSTEM: devNull,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    LC_ALL: "C",
  };
  for (const name of ["PATH", "SystemRoot"]) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** Runs one read-only git command in a folder, bounded in time and output. Beyond the output limit the first part is given. */
export async function runGit(folder: string, args: readonly string[], signal: AbortSignal): Promise<GitAnswer> {
  return await new Promise((resolve) => {
    const child = spawn("git", [...hardened, ...args], {
      cwd: folder,
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    let cut = false;
    let complaint = "";
    let timedOut = false;
    const end = (): void => void child.kill("SIGKILL");
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, gitTimeoutMs);
    const finish = (answer: GitAnswer): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve(answer);
    };
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    child.stdout.on("data", (part: Buffer) => {
      if (bytes < gitBytesMax) parts.push(part);
      bytes += part.length;
      if (bytes >= gitBytesMax && !cut) {
        cut = true;
        end();
      }
    });
    child.stderr.on("data", (part: Buffer) => {
      if (complaint.length < 2_000) complaint += part.toString("utf8");
    });
    child.once("error", (error) =>
      finish({
        ok: false,
        why: (error as { code?: string }).code === "ENOENT" ? "git is not installed" : error.message,
      }),
    );
    child.once("close", (code) => {
      if (timedOut) finish({ ok: false, why: `git did not answer within ${gitTimeoutMs} ms` });
      else if (code === 0 || cut) finish({ ok: true, text: Buffer.concat(parts).toString("utf8"), cut });
      else finish({ ok: false, why: explain(complaint) });
    });
  });
}

function explain(complaint: string): string {
  if (/not a git repository/i.test(complaint)) return "the folder is not under git";
  if (/dubious ownership/i.test(complaint)) return "git refuses the folder because another user owns it";
  const first = complaint.split("\n", 1)[0]?.trim() ?? "";
  return first === "" ? "git failed" : `git failed: ${first.slice(0, 200)}`;
}
