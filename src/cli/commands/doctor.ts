import type { Command } from "../command.ts";
import { checkDialUrl } from "../../remote/websocket-transport.ts";
import { checks, type Finding } from "../doctor/checks.ts";
import { reach } from "../doctor/reach.ts";
import { dialOptions, readDialProof } from "../peer-auth.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "says what is installed and reachable, and what to do about what is not",
  usage: "troupe doctor [--connect url]... [--auth form] [--ca ca.pem] [--name node]",
  options: {
    connect: { type: "string", value: "url", multiple: true, help: "a node that should be reachable from here" },
    ...dialOptions,
    name: { type: "string", value: "node", help: "with --connect: the name of this node; needed for ed25519 and mtls" },
  },
  examples: ["troupe doctor", "troupe doctor --connect ws://127.0.0.1:7700/ --auth token:@secret.txt"],
  words: [0, 0],
  async run({ values }, io) {
    const { connect = [], name } = values as { connect?: string[]; name?: string };
    for (const url of connect) checkDialUrl(url);
    const how = { ...readDialProof(values, connect, io.cwd), name };
    const all = [...checks, ...connect.map((url) => reach(url, how, io.signal))];
    const findings: (Finding & { readonly name: string })[] = [];
    for (const check of all) findings.push({ name: check.name, ...(await check.run(io.cwd)) });
    const width = Math.max(...findings.map(({ name }) => name.length));
    const lines = findings.map(
      ({ name, ok, message }) => `${ok ? "ok     " : "missing"}  ${name.padEnd(width)}  ${message}`,
    );
    // Only a finding that something cannot do without makes the command fail.
    const isFit = findings.every(({ ok, isOptional }) => ok || isOptional);
    const shown = findings.map(({ name, ok, message }) => ({ name, ok, message }));
    return { exitCode: isFit ? 0 : 1, json: { checks: shown }, text: `${lines.join("\n")}\n` };
  },
};
