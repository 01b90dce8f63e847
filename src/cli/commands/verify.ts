import type { Command } from "../command.ts";

export const verifyCommand: Command = {
  name: "verify",
  summary: "checks a certificate offline, trusting nobody",
  usage: "troupe verify <certificate.json> --electorate <file>",
  options: { electorate: { type: "string", value: "file", help: "the electorate that you know to be the right one" } },
  examples: [
    "troupe verify .troupe/decisions/ab12/certificate.json --electorate .troupe/decisions/ab12/electorate.json",
  ],
  words: [1, 1],
  load: async () => (await import("../decide/verify.ts")).run,
};
