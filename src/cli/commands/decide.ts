import type { Command } from "../command.ts";

export const decideCommand: Command = {
  name: "decide",
  summary: "tallies signed or plain ballots of a file",
  usage:
    "troupe decide --question q --options a,b,c --ballots file.json [--mode ballot|bft] [--policy file] [--out DIR]",
  options: {
    question: { type: "string", value: "text", help: "what was asked; signed ballots carry it in their proposal" },
    options: { type: "string", value: "a,b,c", help: "the options, boldest first; a signed proposal carries them" },
    ballots: {
      type: "string",
      value: "file",
      help: "{electorate?, proposal?, ballots: [...]}, all plain or all signed",
    },
    policy: { type: "string", value: "file", help: "method, threshold and the other rules, as JSON" },
    mode: { type: "string", value: "ballot", help: "ballot (default) or bft: the voters agree, with keys made here" },
    out: {
      type: "string",
      value: "DIR",
      help: "write certificate.json and electorate.json there; bft: default .troupe/decisions/<id>",
    },
  },
  examples: [
    'troupe decide --question "Which rollout?" --options canary,big-bang --ballots votes.json',
    "troupe decide --ballots signed.json --out decision && troupe verify decision/certificate.json --electorate decision/electorate.json",
  ],
  words: [0, 0],
  load: async () => (await import("../decide/decide.ts")).run,
};
