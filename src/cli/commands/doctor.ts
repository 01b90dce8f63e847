import type { Command } from "../command.ts";
import { dialOptions } from "../options.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "says what is installed and reachable, and what to do about what is not",
  usage: "troupe doctor [--connect url]... [--auth form] [--ca ca.pem] [--name node] [--timeout ms]",
  options: {
    connect: { type: "string", value: "url", multiple: true, help: "a node that should be reachable from here" },
    ...dialOptions,
    name: { type: "string", value: "node", help: "with --connect: the name of this node; needed for ed25519 and mtls" },
    timeout: { type: "string", value: "ms", help: "with --connect: how long each node may take; default 5000" },
  },
  examples: ["troupe doctor", "troupe doctor --connect ws://127.0.0.1:7700/ --auth token:@secret.txt"],
  words: [0, 0],
  load: async () => (await import("../doctor/doctor.ts")).run,
};
