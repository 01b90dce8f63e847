import type { Command } from "../command.ts";

/** Most certificates that are compared at once: as many as `forensics` takes. */
const certificatesMax = 64;

export const verifyCommand: Command = {
  name: "verify",
  summary: "checks a certificate offline, trusting nobody; of several it says whom they convict",
  usage: "troupe verify <certificate.json>... --electorate <file>",
  options: { electorate: { type: "string", value: "file", help: "the electorate that you know to be the right one" } },
  examples: [
    "troupe verify .troupe/decisions/ab12/certificate.json --electorate .troupe/decisions/ab12/electorate.json",
    "troupe verify mine.json theirs.json --electorate electorate.json",
  ],
  words: [1, certificatesMax],
  load: async () => (await import("../verify/verify.ts")).run,
};
