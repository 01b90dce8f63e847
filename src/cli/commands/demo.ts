import type { Command } from "../command.ts";

export const demoCommand: Command = {
  name: "demo",
  summary: "a council of five experts examines a real project folder and votes on releasing it",
  usage: "troupe demo [path] [--byzantine N] [--crash N] [--out DIR] [--inspect]",
  options: {
    byzantine: { type: "string", value: "N", help: "N experts vote twice, differently; the report shows the evidence" },
    crash: { type: "string", value: "N", help: "N experts are killed in the middle; supervision brings them back" },
    out: { type: "string", value: "DIR", help: "where certificate and electorate go; default .troupe/decisions/<id>" },
    inspect: { type: "boolean", help: "feed the Stately Inspector while it runs" },
  },
  examples: ["troupe demo", "troupe demo ../my-project --crash 2", "troupe demo --byzantine 1 --json"],
  words: [0, 1],
  load: async () => (await import("../demo/demo.ts")).run,
};
