import type { Command } from "../command.ts";
import { agentsOption, dialOptions } from "../options.ts";

export const callCommand: Command = {
  name: "call",
  summary: "one call to an agent of a module, or of another node",
  usage:
    "troupe call <capability> --agents module | --connect url [--auth form] [--ca ca.pem] [--input JSON|@file] [--timeout ms]",
  options: {
    ...agentsOption,
    connect: { type: "string", value: "url", help: "the node to call: ws://127.0.0.1:7700/" },
    ...dialOptions,
    name: { type: "string", value: "node", help: "with --connect: the name of this node; needed for ed25519 and mtls" },
    input: { type: "string", value: "JSON|@file", help: "the input; default {}" },
    timeout: { type: "string", value: "ms", help: "the deadline in milliseconds, connecting included; default 30000" },
  },
  examples: [
    'troupe call greet --agents agents.ts --input \'{"name":"world"}\'',
    "troupe call greet --connect ws://127.0.0.1:7700/ --auth token:@secret.txt",
    "troupe call greet --connect wss://127.0.0.1:7700/ --auth token:@secret.txt --ca ca.pem",
  ],
  words: [1, 1],
  load: async () => (await import("../peers/call.ts")).run,
};
