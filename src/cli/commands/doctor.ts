import type { Command } from "../command.ts";
import { checks, type Finding } from "../doctor/checks.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "says what is installed and reachable, and what to do about what is not",
  usage: "troupe doctor",
  options: {},
  examples: ["troupe doctor", "troupe doctor --json"],
  words: [0, 0],
  async run(_given, io) {
    const findings: (Finding & { readonly name: string })[] = [];
    for (const check of checks) findings.push({ name: check.name, ...(await check.run(io.cwd)) });
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
