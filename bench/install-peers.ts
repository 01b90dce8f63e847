import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const installLimitMs = 300_000;

function folderOf(suite: string): string {
  return fileURLToPath(new URL(`./peers/${suite}`, import.meta.url));
}

/** Whether the peers of a suite were installed from their lockfile. */
export function hasPeers(suite: string): boolean {
  return existsSync(`${folderOf(suite)}/node_modules/.package-lock.json`);
}

/** Installs exactly what `bench/peers/<suite>/package-lock.json` pins. Throws with npm's own words when it cannot. */
export async function installPeers(suite: string): Promise<void> {
  const folder = folderOf(suite);
  if (!existsSync(`${folder}/package-lock.json`))
    throw new Error(`suite "${suite}" has no bench/peers/${suite}/package-lock.json`);
  const npm = spawn("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: installLimitMs,
  });
  let complaint = "";
  npm.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const [code] = (await once(npm, "close")) as [number | null];
  if (code !== 0)
    throw new Error(`npm ci in bench/peers/${suite} ended with ${code ?? "a signal"}: ${complaint.trim()}`);
}
