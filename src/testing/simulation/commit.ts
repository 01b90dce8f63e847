import { spawnSync } from "node:child_process";

/** Longest wait for git, in milliseconds; a replay line without its commit is better than none. */
const gitTimeoutMs = 10_000;

/** The commit that a folder stands on, with "-dirty" where files differ from it; undefined where git tells none. */
export function commitOf(folder: string): string | undefined {
  const argv = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  const { status, stdout } = spawnSync("git", argv, { cwd: folder, encoding: "utf8", timeout: gitTimeoutMs });
  return status === 0 ? stdout.trim() : undefined;
}
