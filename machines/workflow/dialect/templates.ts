import { z } from "zod";
import type { Json } from "../../failure.ts";
import { isJsonRecord, type JsonRecord } from "../json.ts";
import { suggestName } from "../nearest.ts";
import { slugOf } from "../schema/values.ts";
import type { Authored, Dialect, DialectContext, DialectResult, Settings } from "./dialect.ts";

/** The user's document 002, `config.yaml`: settings, and templates that are lists of phase names. */

const templateShape = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  phases: z.array(z.string().min(1)).min(1),
  parallel_phases: z.array(z.string()).optional(),
});

const orchestratorShape = z.strictObject({
  name: z.string().optional(),
  max_concurrent_workflows: z.int().min(1).optional(),
  default_timeout: z.number().min(1).optional(),
  retry_attempts: z.int().min(1).optional(),
  circuit_breaker_threshold: z.int().min(1).optional(),
});

interface OrchestratorPart {
  readonly settings: Settings;
  readonly defaults: JsonRecord;
}

function readOrchestrator(value: Json | undefined, { problems }: DialectContext): OrchestratorPart {
  if (value === undefined) return { settings: {}, defaults: {} };
  const parsed = orchestratorShape.safeParse(value);
  if (!parsed.success) {
    problems.addIssues(parsed.error.issues, ["orchestrator"], Object.keys(orchestratorShape.shape));
    return { settings: {}, defaults: {} };
  }
  const {
    max_concurrent_workflows: runs,
    default_timeout: timeout,
    retry_attempts: attempts,
    circuit_breaker_threshold: failures,
  } = parsed.data;
  if (timeout !== undefined || attempts !== undefined)
    problems.warn(
      "definition/assumed",
      ["orchestrator"],
      "assumed that default_timeout (milliseconds) and retry_attempts (the first attempt included) are those of each task of the templates",
    );
  return {
    settings: {
      ...(runs === undefined ? {} : { concurrency: runs }),
      ...(failures === undefined ? {} : { breakerFailures: failures }),
    },
    defaults: {
      ...(timeout === undefined ? {} : { timeout }),
      ...(attempts === undefined ? {} : { retry: { attempts } }),
    },
  };
}

/** Names next to each other that are all to run side by side form one group. */
function groupsOf(phases: readonly string[], side: ReadonlySet<string>): string[][] {
  const groups: string[][] = [];
  for (const phase of phases) {
    const last = groups.at(-1);
    if (last !== undefined && side.has(phase) && last.every((name) => side.has(name))) last.push(phase);
    else groups.push([phase]);
  }
  return groups;
}

function taskOf(phase: string, earlier: readonly string[]): JsonRecord {
  const context = Object.fromEntries(earlier.map((name) => [name, `$.variables.${slugOf(name)}`]));
  return {
    id: slugOf(phase),
    name: phase,
    type: "task",
    mode: phase,
    input: { task: { literal: phase }, phase: { literal: phase }, context, input: "$.input" },
    output: { [slugOf(phase)]: "$.output" },
  };
}

function stepsOf(phases: readonly string[], side: ReadonlySet<string>): JsonRecord[] {
  let done: string[] = [];
  return groupsOf(phases, side).map((group) => {
    const tasks = group.map((phase) => taskOf(phase, done));
    done = [...done, ...group];
    const [only] = tasks;
    if (tasks.length === 1 && only !== undefined) return only;
    const id = group.map(slugOf).join("_and_").slice(0, 100);
    const branches = tasks.map((task, at) => ({
      id: `${slugOf(group[at] ?? "")}_branch`,
      name: group[at] ?? "",
      steps: [task],
    }));
    return { id, name: group.join(" and "), type: "parallel", parallel: { branches } };
  });
}

function readTemplate(name: string, raw: Json, shared: { defaults: JsonRecord; context: DialectContext }): Authored[] {
  const { problems, origins } = shared.context;
  const path = ["workflow_templates", name];
  const parsed = templateShape.safeParse(raw);
  if (!parsed.success) {
    problems.addIssues(parsed.error.issues, path, Object.keys(templateShape.shape));
    return [];
  }
  const { phases, parallel_phases: side = [], description } = parsed.data;
  for (const [at, phase] of side.entries()) {
    if (!phases.includes(phase))
      problems.error(
        "definition/unknown-step",
        [...path, "parallel_phases", at],
        `there is no phase \`${phase}\`; ${suggestName(phase, phases, "among the phases")}`,
      );
  }
  problems.warn(
    "definition/assumed",
    path,
    "assumed that each phase is one call of the mode of its name, in the order of the list, and that parallel phases next to each other run side by side",
  );
  const steps = stepsOf(phases, new Set(side));
  for (const step of steps) origins.set(step, [...path, "phases"]);
  const document: JsonRecord = {
    key: slugOf(name),
    name: parsed.data.name ?? name,
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(shared.defaults).length === 0 ? {} : { defaults: shared.defaults }),
    steps,
  };
  return [{ document, path }];
}

const documentFields = ["orchestrator", "mcp_servers", "workflow_templates"];

export const templatesDialect: Dialect = {
  name: "templates",
  summary:
    "`workflow_templates`: by name, `phases` that are names of modes, and which of them are `parallel_phases`; one definition for each.",
  matches: (document) => document["workflow_templates"] !== undefined,
  read(document, context): DialectResult {
    const { problems } = context;
    for (const field of Object.keys(document)) {
      if (!documentFields.includes(field))
        problems.error(
          "definition/unknown-field",
          [field],
          `there is no field \`${field}\` beside workflow_templates; ${suggestName(field, documentFields, "here")}`,
        );
    }
    const templates = document["workflow_templates"];
    const { settings, defaults } = readOrchestrator(document["orchestrator"], context);
    if (!isJsonRecord(templates)) {
      problems.error(
        "definition/wrong-value",
        ["workflow_templates"],
        "must be an object: the name of each template with its phases",
      );
      return { definitions: [] };
    }
    const definitions = Object.entries(templates).flatMap(([name, raw]) =>
      readTemplate(name, raw, { defaults, context }),
    );
    return { definitions, settings };
  },
};
