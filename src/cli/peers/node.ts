import { nodeName } from "../../../machines/wire/schemas.ts";
import { isTroupeError, TroupeError } from "../../errors.ts";
import { checkPolicy } from "../../listen/policy.ts";
import { tlsOptions } from "../../listen/tls.ts";
import { stderrLog } from "../../ports/log.ts";
import { createTroupe } from "../../troupe/create.ts";
import { acceptedCodecs } from "../../remote/codecs/load.ts";
import { toAuthentication } from "../../troupe/network/auth.ts";
import { checkRedirect } from "../../troupe/network/redirects.ts";
import type { Troupe } from "../../troupe/troupe.ts";
import { loadAgents } from "../agents-module.ts";
import type { Run } from "../command.ts";
import { readDoorProof } from "../peer-auth.ts";
import { readCodec } from "./codec.ts";
import { nodeStore, prepareStore } from "../store-file.ts";

/** The highest port. Source: RFC 9293 §3.1. */
const portMax = 65_535;

/** Reads "127.0.0.1:7700", "[::1]:7700" or "7700". */
function readPlace(given: string | undefined): { readonly host?: string; readonly port: number } {
  const match = /^(?:\[(?<six>[^\]]+)\]:|(?<host>[^:[\]]+):)?(?<port>\d{1,9})$/.exec(given ?? "");
  const port = Number(match?.groups?.["port"]);
  if (port > portMax)
    throw new TroupeError("usage/bad-argument", `--listen ${given}: a port is a number from 0 (any) to ${portMax}`);
  if (match === null)
    throw new TroupeError("usage/bad-argument", "--listen: give host:port, for example 127.0.0.1:7700 (port 0: any)");
  const host = match.groups?.["six"] ?? match.groups?.["host"];
  return host === undefined ? { port } : { host, port };
}

/** Errors: rejects with `store/in-use` where another process has the file, which is told with the way out. */
async function open(store: string, name: string | undefined): Promise<Troupe> {
  try {
    return await createTroupe({ store, ports: { log: stderrLog }, ...(name === undefined ? {} : { node: name }) });
  } catch (thrown) {
    if (!isTroupeError(thrown, "store/in-use")) throw thrown;
    const message = `${thrown.message}. A second node of this folder needs a --name of its own, or a --store`;
    throw new TroupeError("store/in-use", message, { data: thrown.data });
  }
}

export const run: Run = async ({ values }, io) => {
  const place = readPlace(values["listen"] as string | undefined);
  const module = values["agents"] as string | undefined;
  if (module === undefined)
    throw new TroupeError("usage/bad-argument", "--agents is missing: name the module whose agents are served");
  const {
    name,
    grant,
    redirect,
    store = nodeStore(name),
  } = values as {
    name?: string;
    grant?: string[];
    redirect?: string;
    store?: string;
  };
  if (redirect !== undefined) checkRedirect(redirect);
  if (name !== undefined && !nodeName.safeParse(name).success)
    throw new TroupeError("usage/bad-argument", "--name: a node's name has letters, digits and _ . : @ -");
  const proof = readDoorProof(values, io.cwd);
  const codec = readCodec(values);
  // What would be refused later is refused before the store is made.
  toAuthentication(proof.auth, proof.tls?.ca !== undefined);
  if (proof.tls !== undefined) tlsOptions(proof.tls);
  await acceptedCodecs(codec.codec);
  checkPolicy({ ...place, ...proof, authenticated: proof.auth !== undefined });
  const troupe = await open(prepareStore(store, io.cwd), name);
  try {
    for (const agent of await loadAgents(module, io.cwd, troupe)) await troupe.spawn(agent, { restart: "permanent" });
    const listener = await troupe.listen({
      ...place,
      ...proof,
      ...codec,
      ...(grant === undefined ? {} : { grants: grant }),
    });
    const { node, url } = listener;
    const isJson = values["json"] === true;
    io.out(isJson ? `${JSON.stringify({ node, url })}\n` : `node ${node} listens on ${url}\n`);
    if (!io.signal.aborted)
      await new Promise<void>((resolve) => io.signal.addEventListener("abort", () => resolve(), { once: true }));
    io.err(`draining: calls in hand may end${redirect === undefined ? "" : `; peers go on to ${redirect}`}\n`);
    await listener.close(redirect === undefined ? {} : { redirect });
  } finally {
    await troupe.close();
  }
  return { exitCode: 130, json: undefined, text: "" };
};
