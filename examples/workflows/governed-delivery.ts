// A delivery that is governed in levels. The first level, architecture, looks at the whole folder and names the
// reviewers; the levels below, modules and components, are reviewed by those and no others; validation sees whether the
// reviews leave anything open.
//   npx troupe run examples/workflows/governed-delivery.ts --agents examples/workflows/agents.ts --set folder=.
import { $ } from "troupe";

const { folder } = $.input;

export default {
  key: "governed-delivery",
  name: "Governed delivery",
  version: "1",
  input: {
    type: "object",
    required: ["folder"],
    properties: { folder: { type: "string" }, concernsMax: { type: "number" } },
  },
  steps: [
    {
      id: "architecture",
      name: "Level 1: architecture",
      type: "sequence",
      sequence: {
        steps: [
          {
            id: "list",
            name: "See what there is",
            type: "map",
            map: {
              over: [".js", ".mjs", ".ts", ".md", ".json"],
              capability: "files.list",
              input: { folder, ending: "$.item" },
            },
            output: { files: $.output },
          },
          {
            id: "assign",
            name: "Name modules and reviewers",
            type: "task",
            capability: "review.assign",
            input: { files: $.variables.files },
            output: { reviewers: $.output.reviewers, modules: $.output.modules },
          },
        ],
      },
      next: "modules",
    },
    {
      id: "modules",
      name: "Level 2: modules",
      type: "map",
      map: {
        over: $.variables.modules,
        concurrency: 4,
        steps: [
          {
            id: "components",
            name: "Level 3: components, by every reviewer",
            type: "map",
            map: {
              over: $.item.reviews,
              capability: "review.files",
              input: { folder, reviewer: "$.item.reviewer", paths: "$.item.paths" },
            },
            output: { reviews: $.output },
          },
          {
            id: "sum_up",
            name: "Sum up the module",
            type: "task",
            capability: "review.summary",
            input: { reviews: $.variables.reviews },
          },
        ],
        result: { module: $.item.name, concerns: "$.steps.sum_up.output.concerns" },
      },
      output: { reviewed: $.output },
      next: "summary",
    },
    {
      id: "summary",
      name: "Level 4: validation",
      type: "task",
      capability: "review.total",
      input: { modules: $.variables.reviewed },
      output: { open: $.output.count },
      next: "verdict",
    },
    {
      id: "verdict",
      name: "Is anything left open?",
      type: "decision",
      decision: {
        expression: "$.variables.open <= default($.input.concernsMax, 0)",
        branches: { true: "delivered", false: "held" },
      },
    },
    {
      id: "delivered",
      name: "Deliver",
      type: "task",
      capability: "files.write",
      input: { folder, path: "DELIVERED.json", text: "${json($.variables.reviewed)}" },
      output: { verdict: "delivered" },
      next: "$end",
    },
    {
      id: "held",
      name: "Hold back",
      type: "task",
      capability: "files.write",
      input: { folder, path: "HELD.json", text: "${json($.variables.reviewed)}" },
      output: { verdict: "held" },
      next: "$end",
    },
  ],
  result: { verdict: $.variables.verdict, reviewers: $.variables.reviewers, modules: $.variables.reviewed },
};
