import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isAgentDefinition, type AgentDefinition } from "../agent/define.ts";
import { TroupeError } from "../errors.ts";
import type { Troupe } from "../troupe/troupe.ts";

async function callExport(exported: unknown, file: string, troupe: Troupe): Promise<unknown> {
  if (typeof exported !== "function") return exported;
  try {
    return await (exported as (troupe: Troupe) => unknown)(troupe);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TroupeError("usage/bad-file", `--agents ${file}: its function failed: ${why}`, { cause: thrown });
  }
}

/**
 * Loads the `.ts` or `.js` module given with `--agents`. Its default export is an agent, a list of agents, or a
 * function that receives the troupe and returns them.
 * Errors: throws `usage/bad-file`.
 */
export async function loadAgents(file: string, cwd: string, troupe: Troupe): Promise<readonly AgentDefinition[]> {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new TroupeError("usage/bad-file", `--agents ${file}: there is no such file`);
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TroupeError("usage/bad-file", `--agents ${file}: it cannot be loaded: ${why}`, { cause: thrown });
  }
  const given = await callExport(exported, file, troupe);
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0 || !list.every(isAgentDefinition)) {
    throw new TroupeError(
      "usage/bad-file",
      `--agents ${file}: its default export must be an agent (defineAgent), a list of agents, or a function that returns them`,
    );
  }
  return list;
}
