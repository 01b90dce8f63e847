import { allTargets } from "../compile/targets.ts";
import { definitionSources, isComputedTarget, sourcesOf } from "../compile/sources.ts";
import { readGraph } from "../compile/graph.ts";
import type { Branch, Definition, Step } from "../definition.ts";
import { endState, failState } from "../kinds/regions.ts";
import type { InnerList, KindTable, StepKind } from "../kinds/kind.ts";
import { suggestName } from "../nearest.ts";
import { checkExpressions, type Surroundings } from "./check-expressions.ts";
import type { Problems } from "./problem.ts";
import type { Path, StepReader } from "./reader.ts";

/** What is wrong with a definition whose fields are all right: arrows, circles, names, expressions. */

/** What there is at run time, as far as whoever reads the definition knows. */
export interface Known {
  hasCapability?(name: string): boolean;
  hasAgent?(name: string): boolean;
  hasWorkflow?(key: string): boolean;
}

export interface Checking {
  readonly problems: Problems;
  readonly kinds: KindTable;
  readonly reader: StepReader;
  readonly path: Path;
  readonly known?: Known;
}

interface ListAt {
  readonly steps: readonly Step[];
  readonly path: Path;
  readonly outermost: boolean;
  readonly surroundings: Surroundings;
}

function kindOf(step: Step, { kinds }: Checking): StepKind | undefined {
  return kinds.get(step.type);
}

function placeOf(step: Step, { reader, path }: Checking): Path {
  return reader.places.get(step.id) ?? path;
}

/** Whether a step, or every way through it, waits for the world somewhere. */
function waits(step: Step, checking: Checking): boolean {
  const kind = kindOf(step, checking);
  if (kind === undefined || kind.waits) return true;
  return (kind.lists?.(step) ?? []).some(({ steps }) => steps.some((inner) => waits(inner, checking)));
}

export function checkDefinition(definition: Definition, checking: Checking): void {
  const surroundings: Surroundings = { item: false, merge: false };
  checkList(
    { steps: definition.steps, path: [...checking.path, "steps"], outermost: true, surroundings },
    definition,
    checking,
  );
  checkHandlers(definition, checking);
  checkCheckpoints(definition, checking);
  const sources = definitionSources(definition).map((source) => ({ source, path: [...checking.path, ...source.path] }));
  checkExpressions(sources, { definition, checking, surroundings });
}

function checkList(list: ListAt, definition: Definition, checking: Checking): void {
  const { steps } = list;
  const known = new Set(steps.map(({ id }) => id));
  const { incomplete, damaged } = checking.reader;
  const edges = new Map<string, readonly string[]>();
  for (const step of steps) {
    const kind = kindOf(step, checking);
    if (kind === undefined) {
      checkSources(step, { list, definition }, checking);
      continue;
    }
    edges.set(step.id, safeTargets(step, kind, known));
    if (!incomplete.has(steps)) checkTargets(step, { kind, known }, checking);
    checkStep(step, kind, { list, definition }, checking);
  }
  if (damaged.has(steps)) return;
  checkReachable(list, edges, definition, checking);
  checkCycles(steps, edges, checking);
}

/** Targets of a step whose computed `next` may be broken; that is reported with the other expressions. */
function safeTargets(step: Step, kind: StepKind, known: ReadonlySet<string>): readonly string[] {
  try {
    return allTargets(step, kind, known);
  } catch {
    return [...known];
  }
}

function targetPaths(step: Step, kind: StepKind): { target: string; path: Path }[] {
  const { next, onError = [] } = step;
  const own = typeof next === "string" && !isComputedTarget(next) ? [{ target: next, path: ["next"] }] : [];
  const choices = typeof next === "object" ? next.map(({ to }, at) => ({ target: to, path: ["next", at, "to"] })) : [];
  const routes = onError.flatMap((route, at) =>
    route.action === "next" && route.next !== undefined ? [{ target: route.next, path: ["onError", at] }] : [],
  );
  const branches = (kind.targets?.(step) ?? []).map((target) => ({ target, path: findTarget(step, kind, target) }));
  return [...own, ...choices, ...routes, ...branches];
}

/** Where the kind's own field names a target. */
function findTarget(step: Step, kind: StepKind, target: string): Path {
  const own = (step as unknown as { readonly [field: string]: unknown })[kind.name];
  const branches = typeof own === "object" && own !== null ? (own as { branches?: object }).branches : undefined;
  const value = Object.entries(branches ?? {}).find(([, to]) => to === target)?.[0];
  return value === undefined ? [kind.name] : [kind.name, "branches", value];
}

function checkTargets(step: Step, of: { kind: StepKind; known: ReadonlySet<string> }, checking: Checking): void {
  for (const { target, path } of targetPaths(step, of.kind)) {
    if (of.known.has(target) || target === endState || target === failState) continue;
    const elsewhere = checking.reader.places.has(target);
    const fix = elsewhere
      ? `\`${target}\` is in another list; a step leads only to steps of its own list`
      : suggestName(target, [...of.known], "in this list");
    checking.problems.error(
      "definition/unknown-step",
      [...placeOf(step, checking), ...path],
      `leads to \`${target}\`, and there is no such step; ${fix}`,
    );
  }
}

function checkStep(step: Step, kind: StepKind, at: { list: ListAt; definition: Definition }, checking: Checking): void {
  const place = placeOf(step, checking);
  const { problems } = checking;
  const { list } = at;
  if (step.retry !== undefined && !kind.retries)
    problems.error(
      "definition/wrong-value",
      [...place, "retry"],
      `a step of type ${kind.name} has no attempts of its own; put \`retry\` on the steps inside it, or remove it`,
    );
  if (step.checkpoint === true && !list.outermost)
    problems.error(
      "definition/wrong-value",
      [...place, "checkpoint"],
      "only steps of the outermost list can be checkpoints; remove it",
    );
  if (kind.targets !== undefined && step.next !== undefined)
    problems.error(
      "definition/wrong-value",
      [...place, "next"],
      `a step of type ${kind.name} leads on by its branches; remove \`next\``,
    );
  checkNames(step, checking);
  const lists = kind.lists?.(step) ?? [];
  if (kind.name === "loop" && !waits(step, checking))
    problems.error(
      "definition/endless-cycle",
      place,
      `nothing inside \`${step.id}\` waits, so it would turn without end; put a task, a wait or an event into it`,
    );
  checkSources(step, at, checking, kind);
  for (const inner of lists) checkInner(step, kind, { inner, ...at }, checking);
  if (kind.name === "parallel") warnOfConflicts(step, lists, checking);
}

function checkSources(
  step: Step,
  { list, definition }: { list: ListAt; definition: Definition },
  checking: Checking,
  kind?: StepKind,
): void {
  const place = placeOf(step, checking);
  const sources = sourcesOf(step, kind).map((source) => ({ source, path: [...place, ...source.path] }));
  const surroundings = { ...list.surroundings, step, ...(kind === undefined ? {} : { kind }) };
  checkExpressions(sources, { definition, checking, surroundings });
}

function checkInner(
  step: Step,
  kind: StepKind,
  at: { inner: InnerList; list: ListAt; definition: Definition },
  checking: Checking,
): void {
  const { inner, list, definition } = at;
  const iterates = kind.name === "map" || kind.name === "loop";
  const surroundings: Surroundings = { item: list.surroundings.item || iterates, merge: false };
  checkList(
    { steps: inner.steps, path: [...placeOf(step, checking), ...inner.path], outermost: false, surroundings },
    definition,
    checking,
  );
}

/** Names that only run time can know: a name that is not there yet is a warning. */
function checkNames(step: Step, checking: Checking): void {
  const { known, problems } = checking;
  if (known === undefined) return;
  const place = placeOf(step, checking);
  const fields = step as unknown as {
    capability?: string;
    agent?: string;
    mode?: string;
    subworkflow?: { workflow: string };
  };
  const { capability, agent, mode, subworkflow } = fields;
  if (capability !== undefined && known.hasCapability?.(capability) === false)
    problems.warn("definition/unknown-yet", [...place, "capability"], `no agent offers \`${capability}\` yet`);
  if (agent !== undefined && known.hasAgent?.(agent) === false)
    problems.warn("definition/unknown-yet", [...place, "agent"], `there is no agent \`${agent}\` yet`);
  if (mode !== undefined && known.hasCapability?.(mode) === false && known.hasAgent?.(mode) === false)
    problems.warn("definition/unknown-yet", [...place, "mode"], `there is no capability and no agent \`${mode}\` yet`);
  if (subworkflow !== undefined && known.hasWorkflow?.(subworkflow.workflow) === false)
    problems.warn(
      "definition/unknown-yet",
      [...place, "subworkflow"],
      `no workflow is defined as \`${subworkflow.workflow}\` yet`,
    );
}

function checkReachable(
  list: ListAt,
  edges: ReadonlyMap<string, readonly string[]>,
  definition: Definition,
  checking: Checking,
): void {
  const [first] = list.steps;
  if (first === undefined) return;
  const handlers = list.outermost ? (definition.errorHandlers ?? []).map(({ handler }) => handler) : [];
  const seen = new Set<string>();
  const waiting = [first.id, ...handlers];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (seen.has(id) || !edges.has(id)) continue;
    seen.add(id);
    waiting.push(...(edges.get(id) ?? []));
  }
  for (const step of list.steps) {
    if (seen.has(step.id) || !edges.has(step.id)) continue;
    checking.problems.error(
      "definition/unreachable-step",
      placeOf(step, checking),
      `no step leads to \`${step.id}\`; lead to it by \`next\`, \`onError\` or a branch, or remove it`,
    );
  }
}

function checkCycles(steps: readonly Step[], edges: ReadonlyMap<string, readonly string[]>, checking: Checking): void {
  const byId = new Map(steps.map((step) => [step.id, step] as const));
  for (const cycle of readGraph(edges).cycles) {
    const members = cycle.flatMap((id) => byId.get(id) ?? []);
    if (members.some((step) => waits(step, checking))) continue;
    const [first] = members;
    if (first === undefined) continue;
    const names = members.map(({ id }) => id).join(" → ");
    checking.problems.error(
      "definition/endless-cycle",
      placeOf(first, checking),
      `${names} lead in a circle in which nothing waits; put a task, a wait or an event into it`,
    );
  }
}

function checkHandlers(definition: Definition, { problems, path, known, reader }: Checking): void {
  const own = new Set(definition.steps.map(({ id }) => id));
  (definition.errorHandlers ?? []).forEach(({ handler, retry }, at) => {
    const place = [...path, "errorHandlers", at, "handler"];
    if (own.has(handler)) {
      if (retry !== undefined)
        problems.error(
          "definition/wrong-value",
          [...path, "errorHandlers", at, "retry"],
          `\`${handler}\` is a step; put \`retry\` on the step`,
        );
      return;
    }
    if (reader.places.has(handler))
      problems.error(
        "definition/unknown-step",
        place,
        `\`${handler}\` is in an inner list; a handler is a step of the outermost list, or the key of a workflow`,
      );
    else if (known?.hasWorkflow?.(handler) !== true)
      problems.warn(
        "definition/unknown-yet",
        place,
        `there is no step \`${handler}\`: assumed that it is the key of a workflow that is defined by then; without it the run fails all the same`,
      );
  });
}

function checkCheckpoints(definition: Definition, checking: Checking): void {
  const hasCheckpoint = definition.steps.some(({ checkpoint }) => checkpoint === true);
  if (hasCheckpoint) return;
  eachStep(definition.steps, checking, (step) => {
    const at = (step.onError ?? []).findIndex(({ action }) => action === "rollback");
    if (at !== -1)
      checking.problems.error(
        "definition/wrong-value",
        [...placeOf(step, checking), "onError", at],
        "rolls back, and no step of the outermost list has `checkpoint: true`; mark the step to go back to",
      );
  });
}

export function eachStep(steps: readonly Step[], checking: Pick<Checking, "kinds">, visit: (step: Step) => void): void {
  for (const step of steps) {
    visit(step);
    for (const list of checking.kinds.get(step.type)?.lists?.(step) ?? []) eachStep(list.steps, checking, visit);
  }
}

function warnOfConflicts(step: Step, lists: readonly InnerList[], checking: Checking): void {
  const { merge } = (step as unknown as { parallel: { merge?: unknown } }).parallel;
  if (typeof merge === "string" && merge !== "fail") return;
  const writers = new Map<string, Set<string>>();
  for (const list of lists) {
    eachStep(list.steps, checking, (inner) => {
      for (const variable of Object.keys(inner.output ?? {})) {
        const ids = writers.get(variable) ?? new Set<string>();
        writers.set(variable, ids.add(list.branch?.id ?? ""));
      }
    });
  }
  for (const [variable, branches] of writers) {
    const ruled = typeof merge === "object" && merge !== null && Object.hasOwn(merge, variable);
    if (branches.size < 2 || ruled || comesAfter(lists, branches)) continue;
    checking.problems.warn(
      "definition/write-conflict",
      [...placeOf(step, checking), "parallel", "merge"],
      `${[...branches].join(" and ")} write the variable \`${variable}\`; the step fails when both do, unless merge says which value counts: { ${variable}: list } or last`,
    );
  }
}

/** Whether each two of these branches come after one another, so that they never write side by side. */
function comesAfter(lists: readonly InnerList[], branches: ReadonlySet<string>): boolean {
  const all = lists.flatMap(({ branch }) => branch ?? []);
  const ids = [...branches];
  return ids.every((one, at) =>
    ids.slice(at + 1).every((other) => leadsTo(all, one, other) || leadsTo(all, other, one)),
  );
}

/** Whether branch `to` comes after branch `from`, directly or not. */
function leadsTo(branches: readonly Branch[], from: string, to: string): boolean {
  const seen = new Set<string>();
  const waiting = [to];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === from) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    waiting.push(...(branches.find((branch) => branch.id === id)?.after ?? []));
  }
  return false;
}
