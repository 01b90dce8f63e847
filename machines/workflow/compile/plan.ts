import type { CompileOptions } from "../compiled.ts";
import { buildChart } from "../chart/chart.ts";
import type { Definition, EventStep, Step } from "../definition.ts";
import { noReferences, type References } from "../expression/evaluate.ts";
import type { InnerList, KindTable, StepKind } from "../kinds/kind.ts";
import { frameKey, type FramePlan, type ListPlan, type Plan, type StepPlan } from "../plan.ts";
import { joinPath } from "../ids.ts";
import { compileSchema } from "../schema-check.ts";
import { readGraph } from "./graph.ts";
import { compileSources, definitionSources, sourcesOf } from "./sources.ts";
import { allTargets, nextTargets } from "./targets.ts";
import { writeLaneChart, writeRunChart } from "./write-chart.ts";

/** Works out everything about a definition that does not depend on a run. The definition must be valid. */

interface Building {
  readonly definition: Definition;
  readonly kinds: KindTable;
  readonly references: References;
  readonly steps: Map<string, StepPlan>;
  /** Every step may be visited again: the run can go back. */
  readonly goesBack: boolean;
}

type Writable<Value> = { -readonly [Field in keyof Value]: Value[Field] };

function kindOf(step: Step, kinds: KindTable): StepKind {
  const kind = kinds.get(step.type);
  if (kind === undefined) throw new Error(`there is no step kind ${step.type}; read the definition first`);
  return kind;
}

interface ListPlace {
  readonly as: ListPlan["as"];
  readonly owner: StepPlan | undefined;
  readonly index: number;
  readonly branch: ListPlan["branch"];
  readonly prefix: string;
  readonly scope: string;
  readonly revisits: boolean;
}

function buildList(steps: readonly Step[], place: ListPlace, building: Building): ListPlan {
  const { revisits, ...rest } = place;
  const list: Writable<ListPlan> = { ...rest, steps: [] };
  const known = new Set(steps.map(({ id }) => id));
  const edges = new Map(steps.map((step) => [step.id, allTargets(step, kindOf(step, building.kinds), known)] as const));
  const { cycles, remaining } = readGraph(edges);
  const cyclic = new Set(cycles.flat());
  list.steps = steps.map((step) =>
    buildStep(
      step,
      { list, known, revisits: revisits || cyclic.has(step.id), remaining: remaining.get(step.id) ?? 1 },
      building,
    ),
  );
  return list;
}

interface StepPlace {
  readonly list: ListPlan;
  readonly known: ReadonlySet<string>;
  readonly revisits: boolean;
  readonly remaining: number;
}

function buildStep(step: Step, place: StepPlace, building: Building): StepPlan {
  const kind = kindOf(step, building.kinds);
  const { list, known, revisits, remaining } = place;
  const event = step.type === "event" ? (step as EventStep).event : undefined;
  const form = event !== undefined && "form" in event ? event.form : undefined;
  const sources = compileSources(sourcesOf(step, kind), building.references);
  const plan: Writable<StepPlan> = {
    id: step.id,
    step,
    kind,
    list,
    path: joinPath(list.prefix, step.id),
    scope: list.scope,
    lists: [],
    sources,
    outputs: Object.keys(step.output ?? {}).flatMap((name) => {
      const source = sources.get(`output.${name}`);
      return source === undefined ? [] : [[name, source] as const];
    }),
    check: step.schema === undefined ? undefined : compileSchema(step.schema),
    form: form === undefined ? undefined : compileSchema(form),
    targets: nextTargets(step, kind, known),
    revisits,
    recorded: false,
    remaining,
  };
  building.steps.set(step.id, plan);
  plan.lists = (kind.lists?.(step) ?? []).map((inner, index) => buildInner(plan, { inner, index }, building));
  return plan;
}

function buildInner(owner: StepPlan, at: { inner: InnerList; index: number }, building: Building): ListPlan {
  const { inner, index } = at;
  const { branch, as } = inner;
  const inside = branch === undefined || as === "lane" ? owner.path : joinPath(owner.path, branch.id);
  const place = { as, owner, index, branch, revisits: owner.revisits || as === "body" };
  if (as === "lane") return buildList(inner.steps, { ...place, prefix: "", scope: "" }, building);
  return buildList(inner.steps, { ...place, prefix: inside, scope: inside }, building);
}

function markRecorded(building: Building): void {
  const { steps: asked } = building.references;
  for (const plan of building.steps.values())
    (plan as Writable<StepPlan>).recorded = asked.has("*") || asked.has(plan.id);
}

function buildFrames(plans: Iterable<StepPlan>): Map<string, FramePlan> {
  const frames = new Map<string, FramePlan>();
  for (const plan of plans) {
    plan.lists.forEach((list, index) => {
      if (list.as !== "lane") return;
      const config = writeLaneChart(plan, list);
      frames.set(frameKey(plan.id, index), { config, chart: buildChart(config), list });
    });
  }
  return frames;
}

function rollsBack(steps: readonly Step[], kinds: KindTable): boolean {
  return steps.some((step) => {
    const lists = kindOf(step, kinds).lists?.(step) ?? [];
    return (
      step.onError?.some(({ action }) => action === "rollback") === true ||
      lists.some((list) => rollsBack(list.steps, kinds))
    );
  });
}

/** A handler that is a step may lead back to where the failure came from. */
function hasStepHandler({ errorHandlers, steps }: Definition): boolean {
  return errorHandlers?.some(({ handler }) => steps.some(({ id }) => id === handler)) === true;
}

export function buildPlan(definition: Definition, given: { kinds: KindTable; options: CompileOptions }): Plan {
  const { kinds, options } = given;
  const goesBack = rollsBack(definition.steps, kinds) || hasStepHandler(definition);
  const building: Building = { definition, kinds, references: noReferences(), steps: new Map(), goesBack };
  const place = {
    as: "root",
    owner: undefined,
    index: 0,
    branch: undefined,
    prefix: "",
    scope: "",
    revisits: goesBack,
  } as const;
  const list = buildList(definition.steps, place, building);
  const sources = compileSources(definitionSources(definition), building.references);
  markRecorded(building);
  const config = writeRunChart(definition, list, building.steps);
  return {
    definition,
    options,
    root: { config, chart: buildChart(config), list },
    steps: building.steps,
    frames: buildFrames(building.steps.values()),
    sources,
    checkInput: definition.input === undefined ? undefined : compileSchema(definition.input),
    checkOutput: definition.output === undefined ? undefined : compileSchema(definition.output),
    references: building.references,
  };
}
