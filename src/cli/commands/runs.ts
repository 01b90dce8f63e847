import type { Command } from "../command.ts";
import { defaultStore } from "../store-file.ts";

export const runsCommand: Command = {
  name: "runs",
  summary: "lists, shows and operates the runs of a store, also of one that another process works on",
  usage: "troupe runs list|show|history|pause|resume|stop|signal|retry|fork|patch|migrate|replay [id] [word]",
  options: {
    store: { type: "string", value: "path", help: `where the runs are; default ${defaultStore}` },
    input: {
      type: "string",
      value: "JSON|@file",
      help: "for resume: fields; for signal: its payload; for patch: patches",
    },
    compensate: { type: "boolean", help: "for stop: undo completed steps first" },
    reason: { type: "string", value: "text", help: "for stop: why" },
  },
  examples: [
    "troupe runs list",
    "troupe runs history <id>",
    "troupe runs fork <id> <step>",
    "troupe runs replay <id> new.yaml",
  ],
  words: [1, 3],
  load: async () => (await import("../workflow/runs.ts")).run,
};
