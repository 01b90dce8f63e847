import { z } from "zod";
import type { Json } from "../../failure.ts";
import { escapeText } from "../expression/text.ts";
import { isJsonRecord, type JsonRecord } from "../json.ts";
import { suggestName } from "../nearest.ts";
import type { Path } from "../read/reader.ts";
import { errorRouteSchema, retrySchema } from "../read/shapes.ts";
import { durationSchema, expressionSchema, jsonSchemaSchema, slugOf, stepsSchema } from "../schema/values.ts";
import type { Dialect, DialectContext } from "./dialect.ts";

/** The user's documents 002 and 001: phases with `mode` and `tasks`, with `branches`, or with `mcps`. */

const branchShape = z.strictObject({
  id: z.string().optional(),
  name: z.string().min(1),
  description: z.string().optional(),
  mode: z.string().min(1).optional(),
  focus: z.string().optional(),
  steps: stepsSchema.optional(),
});

export const phaseSchema = z.strictObject({
  id: z.string().optional(),
  name: z.string().min(1),
  description: z.string().optional(),
  mode: z.string().min(1).optional(),
  parallel: z.boolean().optional(),
  dependencies: z.array(z.string()).optional(),
  tasks: z.array(z.string().min(1)).min(1).optional(),
  branches: z.array(branchShape).min(1).optional(),
  mcps: z.array(z.string().min(1)).min(1).optional(),
  focus: z.string().optional(),
  schema: jsonSchemaSchema.optional(),
  condition: expressionSchema.optional(),
  retry: retrySchema.optional(),
  timeout: durationSchema.optional(),
  onError: z.union([z.string(), errorRouteSchema, z.array(errorRouteSchema)]).optional(),
});

type Phase = z.infer<typeof phaseSchema>;

interface PlacedPhase {
  readonly phase: Phase;
  readonly id: string;
  readonly path: Path;
}

/** One call of an agent: a task of a phase, one of its branches, one of its servers. */
interface PhaseCall {
  readonly id: string;
  readonly name: string;
  readonly path: Path;
  readonly mode: string | undefined;
  readonly task: string;
  readonly focus: string | undefined;
  readonly steps: Json | undefined;
}

class Names {
  readonly #taken = new Set<string>();

  fresh(wanted: string): string {
    const base = wanted.slice(0, 90);
    for (let at = 1; ; at += 1) {
      const name = at === 1 ? base : `${base}_${at}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}

function callsOf({ phase, id, path }: PlacedPhase, names: Names): PhaseCall[] {
  const call = (name: string, at: Path, more: Partial<PhaseCall>): PhaseCall => ({
    id: names.fresh(`${id}_${slugOf(name)}`),
    name,
    path: at,
    mode: phase.mode,
    task: name,
    focus: phase.focus,
    steps: undefined,
    ...more,
  });
  const tasks = (phase.tasks ?? []).map((task, at) => call(task, [...path, "tasks", at], {}));
  const branches = (phase.branches ?? []).map((branch, at) =>
    call(branch.name, [...path, "branches", at], {
      mode: branch.mode ?? phase.mode,
      focus: branch.focus ?? phase.focus,
      steps: branch.steps as Json | undefined,
    }),
  );
  const servers = (phase.mcps ?? []).map((server, at) =>
    call(server, [...path, "mcps", at], { mode: server, task: phase.name }),
  );
  const all = [...tasks, ...branches, ...servers];
  return all.length > 0 ? all : [call(phase.name, path, { id })];
}

/** What earlier phases gave, for the tasks of a later one. */
function contextOf(earlier: readonly PlacedPhase[]): JsonRecord {
  return Object.fromEntries(earlier.map(({ phase, id }) => [phase.name, `$.variables.${id}`]));
}

function taskOf(
  call: PhaseCall,
  phase: PlacedPhase,
  earlier: readonly PlacedPhase[],
  context: DialectContext,
): JsonRecord {
  if (call.mode === undefined)
    context.problems.error(
      "definition/missing-field",
      [...call.path, "mode"],
      `\`mode\` is missing: the capability, or the agent, that does ${JSON.stringify(call.name)}`,
    );
  const step: JsonRecord = {
    id: call.id,
    name: call.name,
    type: "task",
    mode: call.mode ?? "unknown",
    input: {
      task: escapeText(call.task),
      phase: escapeText(phase.phase.name),
      ...(call.focus === undefined ? {} : { focus: escapeText(call.focus) }),
      context: contextOf(earlier),
    },
    ...pickFields(phase.phase, ["retry", "timeout"]),
  };
  context.origins.set(step, call.path);
  return step;
}

function pickFields(phase: Phase, names: readonly (keyof Phase)[]): JsonRecord {
  return Object.fromEntries(names.flatMap((name) => (phase[name] === undefined ? [] : [[name, phase[name] as Json]])));
}

/** One phase as one step: a single call, calls side by side, or calls one after the other. */
function stepOf(
  placed: PlacedPhase,
  earlier: readonly PlacedPhase[],
  names: Names,
  context: DialectContext,
): JsonRecord {
  const { phase, id, path } = placed;
  const calls = callsOf(placed, names);
  const [only] = calls;
  const common: JsonRecord = {
    id,
    name: phase.name,
    output: { [id]: "$.output" },
    ...pickFields(phase, ["description", "schema", "condition", "onError"]),
  };
  const stepsOf = (call: PhaseCall): Json => call.steps ?? [taskOf(call, placed, earlier, context)];
  let step: JsonRecord;
  if (calls.length === 1 && only !== undefined && only.steps === undefined && phase.parallel !== true)
    step = { ...taskOf(only, placed, earlier, context), ...common };
  else if (phase.parallel === true || phase.branches !== undefined) {
    const concurrency = phase.parallel === true ? {} : { concurrency: 1 };
    const branches = calls.map((call) => {
      const branch: JsonRecord = { id: call.id, name: call.name, steps: stepsOf(call) };
      context.origins.set(branch, call.path);
      return branch;
    });
    step = { ...common, type: "parallel", parallel: { branches, ...concurrency } };
  } else {
    const result = Object.fromEntries(calls.map((call) => [call.id, `$.steps.${call.id}.output`]));
    step = {
      ...common,
      type: "sequence",
      sequence: { steps: calls.map((call) => taskOf(call, placed, earlier, context)), result },
    };
  }
  context.origins.set(step, path);
  return step;
}

function readPhases(raws: readonly Json[], path: Path, names: Names, { problems }: DialectContext): PlacedPhase[] {
  const fields = Object.keys(phaseSchema.shape);
  return raws.flatMap((raw, at) => {
    const parsed = phaseSchema.safeParse(raw);
    if (!parsed.success) {
      problems.addIssues(parsed.error.issues, [...path, at], fields);
      return [];
    }
    const phase = parsed.data;
    return [{ phase, id: names.fresh(phase.id ?? slugOf(phase.name)), path: [...path, at] }];
  });
}

function checkDependencies(placed: readonly PlacedPhase[], { problems }: DialectContext): boolean {
  const known = placed.map(({ phase }) => phase.name);
  let sound = true;
  for (const { phase, path } of placed) {
    for (const [at, name] of (phase.dependencies ?? []).entries()) {
      if (known.includes(name)) continue;
      sound = false;
      problems.error(
        "definition/unknown-step",
        [...path, "dependencies", at],
        `there is no phase ${JSON.stringify(name)}; ${suggestName(name, known, "among the phases")}`,
      );
    }
  }
  return sound;
}

function isChain(placed: readonly PlacedPhase[]): boolean {
  return placed.every(({ phase }, at) => {
    const before = placed[at - 1]?.phase.name;
    const [only, ...more] = phase.dependencies ?? [];
    return at === 0 ? only === undefined : only === before && more.length === 0;
  });
}

/** Every phase that must end before this one, in the order of the document. */
function earlierOf(phase: PlacedPhase, placed: readonly PlacedPhase[]): readonly PlacedPhase[] {
  const names = new Set<string>();
  const collect = (of: PlacedPhase): void => {
    for (const name of of.phase.dependencies ?? []) {
      const other = placed.find((candidate) => candidate.phase.name === name);
      if (other === undefined || names.has(name)) continue;
      names.add(name);
      collect(other);
    }
  };
  collect(phase);
  return placed.filter((candidate) => names.has(candidate.phase.name) && candidate !== phase);
}

/** The steps of phases: a list where they form one, else branches that come after each other. */
export function stepsOfPhases(raws: readonly Json[], path: Path, context: DialectContext): JsonRecord[] {
  const names = new Names();
  const placed = readPhases(raws, path, names, context);
  if (!checkDependencies(placed, context)) return [];
  const ordered = placed.every(({ phase }) => (phase.dependencies ?? []).length === 0);
  if (ordered && placed.length > 1)
    context.problems.warn(
      "definition/assumed",
      path,
      "no phase has dependencies: assumed that they run in the order of the list",
    );
  if (ordered || isChain(placed)) return placed.map((phase, at) => stepOf(phase, placed.slice(0, at), names, context));
  const roots = placed.filter(({ phase }) => (phase.dependencies ?? []).length === 0);
  if (roots.length > 1) {
    const all = roots.map(({ phase }) => phase.name).join(", ");
    context.problems.warn(
      "definition/assumed",
      path,
      `${all} have no dependencies: assumed that they start at once, side by side`,
    );
  }
  const branches = placed.map((phase) => {
    const earlier = earlierOf(phase, placed);
    const after = placed
      .filter(({ phase: { name } }) => phase.phase.dependencies?.includes(name) === true)
      .map(({ id }) => `${id}_phase`);
    const branch: JsonRecord = {
      id: `${phase.id}_phase`,
      name: phase.phase.name,
      ...(after.length === 0 ? {} : { after }),
      steps: [stepOf(phase, earlier, names, context)],
    };
    context.origins.set(branch, phase.path);
    return branch;
  });
  const step: JsonRecord = { id: names.fresh("phases"), name: "Phases", type: "parallel", parallel: { branches } };
  context.origins.set(step, path);
  return [step];
}

function phasesIn(document: JsonRecord): { raws: readonly Json[]; path: Path } | undefined {
  const { phases, workflow } = document;
  if (Array.isArray(phases)) return { raws: phases as readonly Json[], path: ["phases"] };
  if (isJsonRecord(workflow) && Array.isArray(workflow["phases"]))
    return { raws: workflow["phases"] as readonly Json[], path: ["workflow", "phases"] };
  return undefined;
}

/** Fields of a scenario (document 001) that say what its run is measured by: a test reads them, a run does not. */
const scenarioFields = ["workflow", "phases", "mcps", "expectedMetrics"];

export const phasesDialect: Dialect = {
  name: "phases",
  summary:
    "`phases` with `dependencies`: each is `tasks` or `branches` done by a `mode`, or `mcps`; side by side where `parallel` is true.",
  matches: (document) => document["steps"] === undefined && phasesIn(document) !== undefined,
  read(document, context) {
    const found = phasesIn(document);
    if (found === undefined) return { definitions: [] };
    const { raws, path } = found;
    if (raws.length === 0) context.problems.error("definition/no-steps", path, "has no phases; give it at least one");
    const rest = Object.fromEntries(Object.entries(document).filter(([name]) => !scenarioFields.includes(name)));
    return { definitions: [{ document: { ...rest, steps: stepsOfPhases(raws, path, context) }, path: [] }] };
  },
};
