import type { Command } from "../command.ts";
import { agentsOption, doorOptions } from "../options.ts";
import { nodeStore } from "../store-file.ts";

export const nodeCommand: Command = {
  name: "node",
  summary: "serves the agents of a module to other nodes",
  usage:
    "troupe node --listen host:port --agents module [--auth form] [--tls cert.pem,key.pem] [--name node] [--grant grant]... [--redirect url]",
  options: {
    listen: { type: "string", value: "host:port", help: "where to listen; off loopback only with --auth" },
    ...agentsOption,
    ...doorOptions,
    name: { type: "string", value: "node", help: "the name that peers know this node by; needed for ed25519 and mtls" },
    grant: {
      type: "string",
      value: "grant",
      multiple: true,
      help: 'what peers may do: "tell:cap:greet", "watch:/*"; default: tell and watch every agent',
    },
    redirect: {
      type: "string",
      value: "url",
      help: "when it is stopped, send the peers on to this node; those that have it among their redirects go there",
    },
    store: {
      type: "string",
      value: "path",
      help: `where its agents' runs are kept; default .troupe/node-NAME.db, without --name ${nodeStore(undefined)}; :memory: for nowhere`,
    },
  },
  examples: [
    "troupe node --listen 127.0.0.1:7700 --agents agents.ts --auth token:@secret.txt",
    "troupe node --listen 0.0.0.0:7700 --agents agents.ts --auth token:@secret.txt --tls cert.pem,key.pem",
  ],
  words: [0, 0],
  load: async () => (await import("../peers/node.ts")).run,
};
