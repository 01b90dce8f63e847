import type { Command } from "../command.ts";

/** Most certificates that are compared at once: as many as `forensics` takes. */
const certificatesMax = 64;

export const verifyCommand: Command = {
  name: "verify",
  summary: "checks a certificate offline, trusting nobody; of several it says whom they convict",
  usage: "troupe verify <certificate.json>... --electorate <file> [--transcript <file>...] [--silent <member>...]",
  options: {
    electorate: { type: "string", value: "file", help: "the electorate that you know to be the right one" },
    transcript: {
      type: "string",
      multiple: true,
      value: "file",
      help: "what a member holds of the agreement, from exportTranscript; one for each member that gave it",
    },
    silent: {
      type: "string",
      multiple: true,
      value: "member",
      help: "a member that was asked for its transcript and did not give it: it can refute nothing any more",
    },
  },
  examples: [
    "troupe verify .troupe/decisions/ab12/certificate.json --electorate .troupe/decisions/ab12/electorate.json",
    "troupe verify mine.json theirs.json --electorate electorate.json",
    "troupe verify mine.json theirs.json --electorate electorate.json --transcript a.json --transcript b.json --silent c",
  ],
  words: [1, certificatesMax],
  load: async () => (await import("../verify/verify.ts")).run,
};
