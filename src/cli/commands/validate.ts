import type { Command } from "../command.ts";

/** Most files of one call; a shell's own limit is not far above. */
const filesMax = 1_000;

export const validateCommand: Command = {
  name: "validate",
  summary: "checks workflow definitions without running them",
  usage: "troupe validate <file...>",
  options: {},
  examples: ["troupe validate flow.yaml", "troupe validate flows/*.yaml --json"],
  words: [1, filesMax],
  load: async () => (await import("../workflow/validate.ts")).run,
};
