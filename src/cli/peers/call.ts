import { failure, type Outcome } from "../../../machines/failure.ts";
import { callTimeoutMs } from "../../dispatch/request.ts";
import { TroupeError } from "../../errors.ts";
import { stderrLog } from "../../ports/log.ts";
import { createTroupe } from "../../troupe/create.ts";
import { connectTimeoutMs } from "../../troupe/options.ts";
import { loadAgents } from "../agents-module.ts";
import type { CommandResult, Run } from "../command.ts";
import { readCodec } from "./codec.ts";
import { readInput, redirectConsole } from "../input.ts";
import { readDialProof } from "../peer-auth.ts";
import { farewellMs, readTimeout } from "./patience.ts";

/** An outcome as text and document; a value that JSON cannot hold is a failure of the agent. */
function toResult(outcome: Outcome<unknown>, capability: string): CommandResult {
  if (!outcome.ok) return { exitCode: 1, json: outcome, text: `${outcome.failure.code}: ${outcome.failure.message}\n` };
  try {
    return { exitCode: 0, json: outcome, text: `${JSON.stringify(outcome.value, undefined, 2)}\n` };
  } catch (thrown) {
    const failed = failure(
      "agent/invalid-output",
      `the output of ${capability} is not JSON: ${(thrown as Error).message}`,
      { capability },
    );
    return { exitCode: 1, json: { ok: false, failure: failed }, text: `${failed.code}: ${failed.message}\n` };
  }
}

export const run: Run = async ({ values, positionals }, io) => {
  const capability = positionals[0] ?? "";
  const module = values["agents"] as string | undefined;
  const { connect: url, name } = values as { connect?: string; name?: string };
  if (module === undefined && url === undefined)
    throw new TroupeError(
      "usage/bad-argument",
      "--agents is missing: name the module whose agents take the call, or a node with --connect",
    );
  const proof = readDialProof(values, url === undefined ? [] : [url], io.cwd);
  const codec = readCodec(values);
  const input = readInput(values["input"] as string | undefined, io);
  const timeoutMs = readTimeout(values, callTimeoutMs);
  // What an agent prints is not the result: with --json exactly one document goes to standard output.
  redirectConsole(io);
  await using troupe = await createTroupe({
    ports: { log: stderrLog },
    ...(name === undefined ? {} : { node: name }),
  });
  for (const agent of module === undefined ? [] : await loadAgents(module, io.cwd, troupe))
    await troupe.spawn(agent, { restart: "transient" });
  const from = performance.now();
  if (url !== undefined) {
    const atMost = { timeoutMs: Math.min(timeoutMs, connectTimeoutMs), farewellMs };
    await troupe.connect(url, { signal: io.signal, ...atMost, ...proof, ...codec });
  }
  // There is one deadline for both: what connecting took is gone.
  const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - from)));
  const outcome = await troupe.call(capability, input, { signal: io.signal, timeoutMs: leftMs });
  if (!outcome.ok && io.signal.aborted) throw new TroupeError("call/cancelled", outcome.failure.message);
  return toResult(outcome, capability);
};
