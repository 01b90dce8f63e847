import { failure, type Failure } from "../../../machines/failure.ts";
import type { TaskTarget } from "../../../machines/workflow/effects.ts";
import type { HandlerBehaviour } from "../../agent/handler-behaviour.ts";
import type { Registry } from "../../dispatch/registry.ts";
import type { Cell } from "../../system/cell.ts";

/** Whom a task goes to: a capability, and where one agent is meant, which agents may take it. */
export interface Destination {
  readonly capability: string;
  readonly among?: (cell: Cell) => boolean;
}

type Resolved =
  | { readonly ok: true; readonly destination: Destination }
  | { readonly ok: false; readonly failure: Failure };

function to(capability: string, among?: (cell: Cell) => boolean): Resolved {
  return { ok: true, destination: among === undefined ? { capability } : { capability, among } };
}

function isAgent(name: string): (cell: Cell) => boolean {
  return (cell) => cell.path === name || cell.behaviour.name === name;
}

/** The definition behind an agent's name or path. */
function behaviourOf(registry: Registry, name: string): HandlerBehaviour | undefined {
  const named = registry.behaviourNamed(name);
  if (named !== undefined) return named;
  for (const group of registry.groups()) if (group.cells.some((cell) => cell.path === name)) return group.behaviour;
  return undefined;
}

/** One agent is meant for one of its capabilities. */
function ofAgent(registry: Registry, name: string, capability: string): Resolved {
  const behaviour = behaviourOf(registry, name);
  if (behaviour?.skills.has(capability) === true) return to(capability, isAgent(name));
  const message =
    behaviour === undefined
      ? `no agent is named "${name}"`
      : `agent "${name}" does not offer ${capability}; it offers ${[...behaviour.skills.keys()].join(", ")}`;
  return { ok: false, failure: failure("dispatch/no-agent", message, { agent: name, capability }) };
}

/** An agent that is meant without a capability must have exactly one. */
function onlySkill(registry: Registry, name: string): Resolved {
  const behaviour = behaviourOf(registry, name);
  if (behaviour === undefined)
    return { ok: false, failure: failure("dispatch/no-agent", `no agent is named "${name}"`, { agent: name }) };
  const skills = [...behaviour.skills.keys()];
  const [only] = skills;
  if (only !== undefined && skills.length === 1) return to(only, isAgent(name));
  const message = `agent "${name}" has ${skills.length} capabilities (${skills.join(", ")}); the step must name one`;
  return { ok: false, failure: failure("dispatch/no-agent", message, { agent: name, known: skills }) };
}

/**
 * Finds whom a task is for. A mode is the capability of that name, or else the agent of that name with its only
 * capability. Source: the user's document 002.
 */
export function resolveTarget(registry: Registry, target: TaskTarget): Resolved {
  const { capability, agent, mode } = target;
  if (capability !== undefined) return agent === undefined ? to(capability) : ofAgent(registry, agent, capability);
  if (agent !== undefined) return onlySkill(registry, agent);
  if (mode === undefined)
    return { ok: false, failure: failure("dispatch/no-agent", "the task names neither capability nor agent") };
  if (registry.offers(mode).length > 0 || behaviourOf(registry, mode) === undefined) return to(mode);
  return onlySkill(registry, mode);
}

/** Whether anybody could take it now, or be spawned for it. */
export function isOffered(registry: Registry, { capability, among }: Destination): boolean {
  return registry
    .offers(capability)
    .some((group) =>
      among === undefined ? group.cells.length > 0 || group.grow !== undefined : group.cells.some(among),
    );
}

/** The fields of a capability's input that any of its agents declares as shell text. */
export function shellFieldsOf(registry: Registry, capability: string): readonly string[] {
  const declared = registry
    .offers(capability)
    .flatMap(({ behaviour }) => behaviour.skills.get(capability)?.spec.shell ?? []);
  return declared.length < 2 ? declared : [...new Set(declared)];
}
