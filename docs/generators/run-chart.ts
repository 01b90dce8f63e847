import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { compile } from "../../machines/workflow/compile/compile.ts";
import { readDefinition } from "../../machines/workflow/read/definition.ts";
import type { ChartNode } from "./charts.ts";

/** The definition whose chart is shown: small, with a choice, a wait for a person, and a way around a failure. */
const example = "examples/workflows/on-release.yaml";

/** What the chart of every run says by its names alone. */
const words: { readonly [name: string]: string } = {
  $completed: "The run has ended well, with its output.",
  $failed: "The run has failed, with the failure; `retry` lets it go on.",
  $cancelled: "The run was stopped.",
  "task.completed": "The call of a step has its result.",
  "task.failed": "The call of a step has failed; its policy says whether it is tried again.",
  "child.completed": "A run that a step has begun ended well.",
  "child.failed": "A run that a step has begun did not.",
  "timer.fired": "A wait, a retry's pause or a step's time is over.",
  signal: "Somebody has something to say to this run.",
  pause: "What is in flight may end; everything else waits.",
  resume: "What waited is taken up, in order.",
  patch: "Its variables are changed while it runs.",
  cancel: "It is stopped; completed steps may be undone first.",
  "run.failed": "A step has failed for good, and nothing leads on from there.",
  "run.completed": "The output is there, and fits.",
  completed: "The step has ended well.",
};

function describeArrows(event: string, given: unknown): unknown {
  const meaning = words[event] ?? words[event.split(".").at(-1) ?? ""];
  const arrows = (Array.isArray(given) ? given : [given]) as readonly { readonly description?: string }[];
  return arrows.map((arrow) => ({ ...(meaning === undefined ? {} : { description: meaning }), ...arrow }));
}

function describeNode(name: string, node: ChartNode): ChartNode {
  const on = Object.entries(node.on ?? {}).map(([event, arrows]) => [event, describeArrows(event, arrows)] as const);
  const states = Object.entries(node.states ?? {}).map(
    ([inner, child]) => [inner, describeNode(inner, child)] as const,
  );
  const description = node.description ?? words[name];
  return {
    ...node,
    ...(description === undefined ? {} : { description }),
    on: Object.fromEntries(on),
    ...(states.length === 0 ? {} : { states: Object.fromEntries(states) }),
  };
}

/** The chart of one run, with words for what is the same in every run. */
export function runChart(): { readonly name: string; readonly summary: string; readonly config: ChartNode } {
  const text = readFileSync(new URL(`../../${example}`, import.meta.url), "utf8");
  const [definition] = readDefinition(parse(text)).definitions;
  if (definition === undefined) throw new Error(`${example} holds no workflow`);
  const config = compile(definition).config as ChartNode;
  return {
    name: "run",
    summary: `The run of a workflow: this chart is made anew from each definition, a state for each step. Shown here is the one of [${example}](../${example}); \`troupe graph\` draws any other. What is inside a \`parallel\`, a \`loop\` or a \`sequence\` is inside its state; what runs for each item of a \`map\` is a chart beside it.`,
    config: describeNode("run", config),
  };
}
