import { microstepsOf } from "../chart/chart.ts";
import type { Arrow, MachineConfig, NamedGuard, StateNode } from "../chart/config.ts";
import type { Definition, RetryPolicy } from "../definition.ts";
import { describeMs } from "../kinds/describe.ts";
import { endState, failState, startsBySignal, startState } from "../kinds/regions.ts";
import type { ListPlan, StepPlan } from "../plan.ts";
import { receivedTypes } from "../run/received.ts";
import { slugOf } from "../schema/values.ts";
import { isChoices } from "./sources.ts";
import { errorTargets } from "./targets.ts";

/**
 * Writes the XState config of a definition: one state for each step, named as the step, its arrows named by how the
 * step ends. What a step does is in named actions; what it waits for is in the description and in `meta`.
 */

/** Where a run goes when its last step is done, and the other states that a run has besides its steps. */
export const runStates = {
  finish: "$finish",
  completed: "$completed",
  failed: "$failed",
  cancelled: "$cancelled",
  handling: "$handling",
  compensating: "$compensating",
  parked: "$compensation-failed",
} as const;

type Naming = (target: string) => string;

function chose(plan: StepPlan, target: string): NamedGuard {
  return { type: "chose", params: { step: plan.id, target } };
}

function arrowsTo(plan: StepPlan, targets: readonly string[], name: Naming): Arrow[] {
  const [only] = targets;
  if (targets.length === 1 && only !== undefined) return [{ target: name(only) }];
  return targets.map((target) => ({
    target: name(target),
    guard: chose(plan, target),
    description: describeChoice(plan, target),
  }));
}

function describeChoice(plan: StepPlan, target: string): string {
  const { next } = plan.step;
  if (!isChoices(next)) return `next is ${target}`;
  const when = next.filter(({ to }) => to === target).map(({ when: text }) => text ?? "otherwise");
  return when.length === 0 ? "otherwise" : when.join(" or ");
}

function stepArrows(plan: StepPlan, name: Naming): { readonly [event: string]: readonly Arrow[] } {
  const { id, step, targets } = plan;
  const onward = arrowsTo(plan, targets, name);
  const routes = errorTargets(step);
  return {
    ...(targets.length === 0 ? {} : { [`${id}.completed`]: onward }),
    ...(step.condition === undefined || targets.length === 0 ? {} : { [`${id}.skipped`]: onward }),
    ...(routes.length === 0 ? {} : { [`${id}.failed`]: routes.map((target) => failedArrow(plan, target, name)) }),
  };
}

function failedArrow(plan: StepPlan, target: string, name: Naming): Arrow {
  const routes = (plan.step.onError ?? []).filter(({ next }) => next === target);
  const codes = routes.map(({ error, when }) => `${error.join(", ")}${when === undefined ? "" : ` when ${when}`}`);
  return { target: name(target), guard: chose(plan, target), description: `failed: ${codes.join("; ")}` };
}

function describeRetry({ attempts, strategy, firstMs, maxMs, rate }: RetryPolicy): string {
  if (strategy === "none" || attempts < 2) return "";
  const grow = strategy === "linear" ? `+${describeMs(firstMs)} each` : `×${rate} up to ${describeMs(maxMs)}`;
  return `up to ${attempts} attempts, first after ${describeMs(firstMs)}, ${grow}`;
}

function describeStep({ step, kind }: StepPlan): string {
  const { condition, retry, timeout, sla } = step;
  const parts = [
    step.name === step.id ? "" : step.name,
    kind.describe(step),
    condition === undefined ? "" : `only if ${condition}`,
    retry === undefined ? "" : describeRetry(retry),
    timeout === undefined ? "" : `fails after ${describeMs(timeout)}`,
    sla === undefined ? "" : `late after ${describeMs(sla)}`,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function metaOf({ step, kind }: StepPlan): object {
  const { timeout, sla, retry, condition, tags } = step;
  return {
    kind: kind.name,
    name: step.name,
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(sla === undefined ? {} : { slaMs: sla }),
    ...(retry === undefined ? {} : { retry }),
    ...(condition === undefined ? {} : { condition }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function writeStep(plan: StepPlan, name: Naming): StateNode {
  const { id } = plan;
  const inner = plan.lists.map((list) => (list.as === "lane" ? {} : writeInner(plan, list)));
  const own = plan.kind.chart?.(plan, inner) ?? {};
  const named = own.always?.map((arrow) =>
    arrow.target === undefined ? arrow : { ...arrow, target: name(arrow.target) },
  );
  return {
    description: describeStep(plan),
    tags: [plan.kind.name],
    meta: metaOf(plan),
    ...own,
    entry: [{ type: "begin", params: { step: id } }, ...(own.entry ?? [])],
    exit: [...(own.exit ?? []), { type: "leave", params: { step: id } }],
    on: { ...own.on, ...stepArrows(plan, name) },
    ...(named === undefined ? {} : { always: named }),
  };
}

/** The states of one list; the end is added by whoever has the list. */
function writeStates(list: ListPlan, name: Naming): { [state: string]: StateNode } {
  const states = Object.fromEntries(list.steps.map((plan) => [plan.id, writeStep(plan, name)] as const));
  const [first] = list.steps;
  const fails = list.steps.some((plan) => leadsTo(plan, failState));
  if (!fails || first === undefined) return states;
  const description = "The definition says that this is a failure.";
  return { ...states, [failState]: { description, entry: [{ type: "failHere", params: { step: first.id } }] } };
}

function leadsTo(plan: StepPlan, target: string): boolean {
  const { step, kind, targets } = plan;
  return (
    targets.includes(target) || (kind.targets?.(step) ?? []).includes(target) || errorTargets(step).includes(target)
  );
}

const same: Naming = (target) => target;

function writeInner(owner: StepPlan, list: ListPlan): StateNode {
  const states = writeStates(list, same);
  const first = list.steps[0]?.id ?? endState;
  const end: StateNode = { type: "final" };
  if (!startsBySignal(owner)) return { initial: first, states: { ...states, [endState]: end } };
  const go = owner.kind.name === "loop" ? {} : { on: { [`${owner.id}.go`]: [{ target: first }] } };
  const start: StateNode = {
    description: "Waits for the step to say that it goes on.",
    ...(list.as === "branch" ? go : {}),
  };
  return { initial: startState, states: { [startState]: start, ...states, [endState]: end } };
}

/** The machine of one item or branch that runs by counters. */
export function writeLaneChart(owner: StepPlan, list: ListPlan): MachineConfig {
  const states = writeStates(list, same);
  const of = list.branch?.name ?? "one item";
  return {
    id: list.branch?.id ?? owner.id,
    description: `${of} of ${owner.step.name}`,
    initial: list.steps[0]?.id ?? endState,
    states: { ...states, [endState]: { type: "final" } },
    options: { maxIterations: microstepsOf(Object.keys(states).length) },
  };
}

interface RunShape {
  readonly definition: Definition;
  readonly list: ListPlan;
  readonly steps: ReadonlyMap<string, StepPlan>;
  readonly handlesByWorkflow: boolean;
  readonly compensates: boolean;
  /** Where checkpoints go on. */
  readonly resumes: readonly string[];
}

function shapeOf(definition: Definition, list: ListPlan, steps: ReadonlyMap<string, StepPlan>): RunShape {
  const own = new Set(list.steps.map(({ id }) => id));
  const all = [...steps.values()];
  const checkpoints = list.steps.filter(({ step }) => step.checkpoint === true);
  return {
    definition,
    list,
    steps,
    handlesByWorkflow: (definition.errorHandlers ?? []).some(({ handler }) => !own.has(handler)),
    compensates: all.some(({ step }) => step.compensate !== undefined),
    resumes: [
      ...new Set(checkpoints.flatMap(({ targets, kind, step }) => [...targets, ...(kind.targets?.(step) ?? [])])),
    ],
  };
}

function endName({ result, output }: Definition): string {
  return result === undefined && output === undefined ? runStates.completed : runStates.finish;
}

function nameIn(definition: Definition): Naming {
  return (target) => (target === endState ? endName(definition) : target);
}

function failureArrows(shape: RunShape, prefix: string): Arrow[] {
  const undo: Arrow[] = shape.compensates
    ? [
        {
          target: `${prefix}${runStates.compensating}`,
          guard: { type: "mustUndo" },
          description: "something is to be undone",
        },
      ]
    : [];
  return [...undo, { target: `${prefix}${runStates.failed}` }];
}

function handlerArrows({ definition, list }: RunShape, prefix: string): Arrow[] {
  const own = new Set(list.steps.map(({ id }) => id));
  return (definition.errorHandlers ?? []).map(({ error, handler }, index) => {
    const guard: NamedGuard = { type: "handles", params: { handler: index } };
    const description = `failed: ${error.join(", ")}`;
    if (own.has(handler)) return { target: `${prefix}${handler}`, guard, description, actions: [{ type: "resume" }] };
    return { target: `${prefix}${runStates.handling}`, guard, description: `${description}; runs ${handler}` };
  });
}

function resumeArrows(shape: RunShape, prefix: string): Arrow[] {
  const name = nameIn(shape.definition);
  return shape.resumes.map((target) => ({
    target: `${prefix}${name(target)}`,
    guard: { type: "resumesAt", params: { target } },
    description: `the last checkpoint went on at ${target}`,
    actions: [{ type: "resume" }],
  }));
}

function runArrows(shape: RunShape): { readonly [event: string]: readonly Arrow[] } {
  const { compensates, resumes } = shape;
  const received = receivedTypes.map((type) => [type, [{ actions: [{ type: "receive" }] }]] as const);
  const toUndo: Arrow = {
    target: `.${runStates.compensating}`,
    guard: { type: "mustUndo" },
    description: "something is to be undone",
  };
  const cancel: Arrow[] = [
    ...(compensates ? [{ ...toUndo, guard: { type: "wantsUndo" }, actions: [{ type: "cancel" }] }] : []),
    { target: `.${runStates.cancelled}`, guard: { type: "isUnderWay" }, actions: [{ type: "cancel" }] },
  ];
  return {
    ...Object.fromEntries(received),
    cancel,
    "run.failed": [...handlerArrows(shape, "."), ...failureArrows(shape, ".")],
    ...(resumes.length === 0
      ? {}
      : { "run.rollback": [...(compensates ? [toUndo] : []), ...resumeArrows(shape, ".")] }),
  };
}

function endStates(shape: RunShape): { readonly [state: string]: StateNode } {
  const { definition, handlesByWorkflow, compensates, resumes } = shape;
  const finish: StateNode = {
    description: "The output is computed and checked.",
    entry: [{ type: "conclude" }],
    on: { "run.completed": [{ target: runStates.completed }] },
  };
  const handling: StateNode = {
    description: "Another workflow handles the failure.",
    entry: [{ type: "handle" }],
    exit: [{ type: "leaveHandler" }],
    on: { "handler.ended": failureArrows(shape, "") },
  };
  // Only a rollback can still fail, by the deadline of the run.
  const failing: Arrow[] = [
    ...handlerArrows(shape, ""),
    { description: "everything is undone, and then the run fails" },
  ];
  const compensating: StateNode = {
    description: "What was done is undone, newest first.",
    entry: [{ type: "undo" }],
    exit: [{ type: "leaveUndo" }],
    on: {
      "compensation.completed": [
        { target: runStates.cancelled, guard: { type: "because", params: { reason: "cancelled" } } },
        { target: runStates.failed },
      ],
      ...(resumes.length === 0 ? {} : { "compensation.rolledBack": resumeArrows(shape, "") }),
      "compensation.failed": [{ target: runStates.parked }],
      ...(resumes.length === 0 ? {} : { "run.failed": failing }),
      cancel: [
        {
          guard: { type: "asksUndo" },
          actions: [{ type: "cancel" }],
          description: "everything is undone, and then the run is cancelled",
        },
        { target: runStates.cancelled, actions: [{ type: "cancel" }], description: "the rest stays as it is" },
      ],
    },
  };
  const parked: StateNode = {
    description: "Undoing came to a stop; a retry goes on with it.",
    on: {
      retry: [{ target: runStates.compensating }],
      ...(resumes.length === 0 ? {} : { "run.failed": failing }),
    },
  };
  return {
    ...(endName(definition) === runStates.finish ? { [runStates.finish]: finish } : {}),
    ...(handlesByWorkflow ? { [runStates.handling]: handling } : {}),
    ...(compensates ? { [runStates.compensating]: compensating, [runStates.parked]: parked } : {}),
    [runStates.completed]: { type: "final", entry: [{ type: "endCompleted" }] },
    [runStates.failed]: { type: "final", entry: [{ type: "endFailed" }] },
    [runStates.cancelled]: { type: "final", entry: [{ type: "endCancelled" }] },
  };
}

/** The machine of a run. */
export function writeRunChart(
  definition: Definition,
  list: ListPlan,
  steps: ReadonlyMap<string, StepPlan>,
): MachineConfig {
  const shape = shapeOf(definition, list, steps);
  const opens = definition.input !== undefined || definition.variables !== undefined;
  const first = list.steps[0]?.id ?? endName(definition);
  const start: StateNode = { description: "The input is checked.", on: { "run.opened": [{ target: first }] } };
  const { description, timeoutMs, slaMs, key, version, name } = definition;
  const states = { ...writeStates(list, nameIn(definition)), ...endStates(shape) };
  return {
    id: slugOf(key),
    description: [name, description ?? "", timeoutMs === undefined ? "" : `fails after ${describeMs(timeoutMs)}`]
      .filter((part) => part !== "")
      .join(" · "),
    meta: {
      workflow: key,
      version,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(slaMs === undefined ? {} : { slaMs }),
    },
    initial: opens ? startState : first,
    entry: [{ type: "open" }],
    on: runArrows(shape),
    states: opens ? { [startState]: start, ...states } : states,
    options: { maxIterations: microstepsOf(steps.size) },
  };
}
