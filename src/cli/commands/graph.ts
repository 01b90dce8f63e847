import type { Command } from "../command.ts";

export const graphCommand: Command = {
  name: "graph",
  summary: "draws a workflow: as Mermaid text, as an SVG picture, or as an XState config",
  usage: "troupe graph <file>",
  options: {
    format: { type: "string", value: "<format>", help: "mermaid (the default), svg or xstate" },
    workflow: { type: "string", value: "<key>", help: "which one, where the file holds several; default: the first" },
    out: { type: "string", value: "<file>", help: "write it there instead of to standard output" },
  },
  examples: ["troupe graph flow.yaml", "troupe graph flow.yaml --format svg --out flow.svg"],
  words: [1, 1],
  load: async () => (await import("../workflow/graph.ts")).run,
};
