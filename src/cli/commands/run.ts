import type { Command } from "../command.ts";
import { agentsOption } from "../options.ts";
import { defaultStore } from "../store-file.ts";

export const runCommand: Command = {
  name: "run",
  summary: "runs a workflow to its end, and goes on with one that was interrupted",
  usage: "troupe run <file> [--agents module] [--input JSON|@file] [--set name=value] [--key k] [--store path]",
  options: {
    ...agentsOption,
    input: { type: "string", value: "JSON|@file", help: "the input; default {}" },
    set: { type: "string", value: "name=value", multiple: true, help: "one field of the input; may be repeated" },
    key: { type: "string", value: "k", help: "the same key is the same run: started again, it goes on where it was" },
    resume: { type: "string", value: "id", help: "go on with this run, whatever its key" },
    store: {
      type: "string",
      value: "path",
      help: `where runs are kept; default ${defaultStore}, :memory: for nowhere`,
    },
  },
  examples: [
    "troupe run flow.yaml --agents agents.ts --set path=.",
    "troupe run flow.yaml --agents agents.ts --key nightly --json",
  ],
  words: [0, 1],
  load: async () => (await import("../workflow/run.ts")).run,
};
