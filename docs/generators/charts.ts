import { catalogue } from "../../machines/index.ts";
import { type Generator, writeTable } from "./generator.ts";
import { runChart } from "./run-chart.ts";

interface Arrow {
  readonly target?: string | readonly string[];
  readonly description?: string;
}

/** What this generator reads of an XState config; everything else is left to the chart. */
export interface ChartNode {
  readonly id?: string;
  readonly description?: string;
  readonly type?: string;
  readonly initial?: string | { readonly target: string };
  readonly states?: { readonly [name: string]: ChartNode };
  readonly on?: { readonly [event: string]: unknown };
  readonly always?: unknown;
  readonly onDone?: unknown;
}

/** One arrow of a drawn chart; the paths are state names from the root down. */
interface Drawn {
  readonly from: readonly string[];
  readonly to: readonly string[] | undefined;
  readonly event: string;
  readonly description: string;
}

function readArrows(value: unknown): Arrow[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(readArrows);
  return typeof value === "string" ? [{ target: value }] : [value as Arrow];
}

function resolveTarget(target: string, from: readonly string[]): string[] {
  if (target.startsWith("#")) return target.split(".").slice(1);
  if (target.startsWith(".")) return [...from, ...target.slice(1).split(".")];
  return [...from.slice(0, -1), ...target.split(".")];
}

/** Every arrow of a chart, the ones of nested states included. */
export function collectArrows(node: ChartNode, path: readonly string[] = []): Drawn[] {
  const events: (readonly [string, unknown])[] = [
    ...Object.entries(node.on ?? {}),
    ["(at once)", node.always],
    ["(done)", node.onDone],
  ];
  const own = events.flatMap(([event, value]) =>
    readArrows(value).map((arrow) => {
      const target = Array.isArray(arrow.target)
        ? (arrow.target[0] as string | undefined)
        : (arrow.target as string | undefined);
      return {
        from: path,
        to: target === undefined ? undefined : resolveTarget(target, path),
        event,
        description: arrow.description ?? "",
      };
    }),
  );
  const inner = Object.entries(node.states ?? {}).flatMap(([name, child]) => collectArrows(child, [...path, name]));
  return [...own, ...inner];
}

function nameOf(path: readonly string[]): string {
  return path.join("_").replaceAll(/[^a-zA-Z0-9_]/g, "_");
}

function drawStates(node: ChartNode, path: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  const initial = typeof node.initial === "string" ? node.initial : node.initial?.target;
  if (initial !== undefined) lines.push(`${indent}[*] --> ${nameOf([...path, initial])}`);
  const children = Object.entries(node.states ?? {});
  children.forEach(([name, child], index) => {
    const inner = [...path, name];
    const id = nameOf(inner);
    if (id !== name) lines.push(`${indent}state "${name}" as ${id}`);
    if (child.states !== undefined)
      lines.push(`${indent}state ${id} {`, ...drawStates(child, inner, `${indent}  `), `${indent}}`);
    if (child.type === "final") lines.push(`${indent}${id} --> [*]`);
    if (node.type === "parallel" && index < children.length - 1) lines.push(`${indent}--`);
  });
  return lines;
}

/** Draws an XState config as a Mermaid state diagram. */
export function drawChart(config: ChartNode): string {
  const arrows = collectArrows(config).filter((arrow) => arrow.to !== undefined && arrow.from.length > 0);
  return [
    "stateDiagram-v2",
    ...drawStates(config, [], "  "),
    ...arrows.map((arrow) => `  ${nameOf(arrow.from)} --> ${nameOf(arrow.to ?? arrow.from)} : ${arrow.event}`),
  ].join("\n");
}

/** Every state of a chart below its root, with what it means. */
export function collectStates(
  node: ChartNode,
  path: readonly string[] = [],
): { path: readonly string[]; description: string; final: boolean }[] {
  return Object.entries(node.states ?? {}).flatMap(([name, child]) => {
    const inner = [...path, name];
    return [
      { path: inner, description: child.description ?? "", final: child.type === "final" },
      ...collectStates(child, inner),
    ];
  });
}

function writeChart(name: string, summary: string, config: ChartNode): string {
  const states = collectStates(config).map((state) => [
    `\`${state.path.join(".")}\``,
    state.description,
    state.final ? "an end" : "",
  ]);
  const arrows = collectArrows(config).map((arrow) => [
    arrow.from.length === 0 ? "(any)" : `\`${arrow.from.join(".")}\``,
    `\`${arrow.event}\``,
    arrow.to === undefined ? "(stays)" : `\`${arrow.to.join(".")}\``,
    arrow.description,
  ]);
  return `## ${name}

${summary}

\`\`\`mermaid
${drawChart(config)}
\`\`\`

${writeTable(["state", "what it means", ""], states)}

${writeTable(["from", "event", "to", "what it means"], arrows)}`;
}

export const charts: Generator = {
  file: "docs/machines.md",
  render() {
    const run = runChart();
    const all = [
      ...catalogue.map(({ name, summary, machine }) => writeChart(name, summary, machine.config as ChartNode)),
      writeChart(run.name, run.summary, run.config),
    ];
    return `# State machines

Every actor of Troupe runs one of these charts. Generated from the catalogue of \`troupe/machines\` by \`npm run docs\`; a run
has a chart of its own.

${all.join("\n\n")}
`;
  },
};
