import { TroupeError } from "../../errors.ts";
import { stderrLog } from "../../ports/log.ts";
import { createTroupe } from "../../troupe/create.ts";
import { agentsOption, loadAgents } from "../agents-module.ts";
import type { Command } from "../command.ts";
import { authForms, readPeerProof } from "../peer-auth.ts";

/** Reads "127.0.0.1:7700", "[::1]:7700" or "7700". */
function readPlace(given: string | undefined): { readonly host?: string; readonly port: number } {
  const match = /^(?:\[(?<six>[^\]]+)\]:|(?<host>[^:[\]]+):)?(?<port>\d{1,5})$/.exec(given ?? "");
  const port = Number(match?.groups?.["port"]);
  if (match === null || port > 65_535)
    throw new TroupeError("usage/bad-argument", "--listen: give host:port, for example 127.0.0.1:7700 (port 0: any)");
  const host = match.groups?.["six"] ?? match.groups?.["host"];
  return host === undefined ? { port } : { host, port };
}

export const nodeCommand: Command = {
  name: "node",
  summary: "serves the agents of a module to other nodes",
  usage: "troupe node --listen host:port --agents module [--auth form] [--name node] [--grant grant]...",
  options: {
    listen: { type: "string", value: "host:port", help: "where to listen; off loopback only with --auth" },
    ...agentsOption,
    auth: { type: "string", value: "form", help: authForms },
    name: { type: "string", value: "node", help: "the name that peers know this node by; needed for ed25519 and mtls" },
    grant: {
      type: "string",
      value: "grant",
      multiple: true,
      help: 'what peers may do: "tell:cap:greet", "watch:/*"; default: tell and watch every agent',
    },
    store: { type: "string", value: "path", help: "the store file; default in memory" },
  },
  examples: ["troupe node --listen 127.0.0.1:7700 --agents agents.ts --auth token:@secret.txt"],
  words: [0, 0],
  async run({ values }, io) {
    const place = readPlace(values["listen"] as string | undefined);
    const module = values["agents"] as string | undefined;
    if (module === undefined)
      throw new TroupeError("usage/bad-argument", "--agents is missing: name the module whose agents are served");
    const proof = readPeerProof(values["auth"] as string | undefined, io.cwd);
    const { name, grant, store } = values as { name?: string; grant?: string[]; store?: string };
    const troupe = await createTroupe({
      ports: { log: stderrLog },
      ...(name === undefined ? {} : { node: name }),
      ...(store === undefined ? {} : { store }),
    });
    try {
      for (const agent of await loadAgents(module, io.cwd, troupe)) await troupe.spawn(agent, { restart: "permanent" });
      const { node, url } = await troupe.listen({
        ...place,
        ...proof,
        ...(grant === undefined ? {} : { grants: grant }),
      });
      const isJson = values["json"] === true;
      io.out(isJson ? `${JSON.stringify({ node, url })}\n` : `node ${node} listens on ${url}\n`);
      if (!io.signal.aborted)
        await new Promise<void>((resolve) => io.signal.addEventListener("abort", () => resolve(), { once: true }));
      io.err("draining: calls in hand may end\n");
    } finally {
      await troupe.close();
    }
    return { exitCode: 130, json: undefined, text: "" };
  },
};
