import type { Json } from "../../failure.ts";
import { isJsonRecord, type JsonRecord } from "../json.ts";
import { suggestName } from "../nearest.ts";
import type { Problems } from "../read/problem.ts";
import type { Path } from "../read/reader.ts";
import type { Dialect, DialectContext } from "./dialect.ts";

/**
 * A hand-written XState machine in the durable subset: flat states, each of which asks for a task, waits for a time or
 * for an event, or chooses; arrows with named guards and actions. Each state becomes a step, so the machine runs with
 * the journal, keys, retries and recovery of every other definition. A config that is read here is one that XState
 * takes, with the same arrows.
 * Source: docs/guide/workflows.md (the XState subset).
 */

/** What a state may have, and why it may not have the rest. */
const stateFields = ["entry", "on", "always", "type", "description", "tags", "meta"];
const lost: ReadonlyMap<string, string> = new Map([
  ["invoke", 'is not durable; ask for a task: entry: { type: "task", params: { capability: … } }'],
  ["after", 'is not durable; wait by a timer: entry: { type: "timer", params: { for: "30 s" } }'],
  ["states", "is a state inside a state; use states side by side, or a workflow of steps"],
  ["exit", "is not run; put what it does on the arrows"],
  ["history", "is not durable; lead to the state by name"],
]);

const doneEvent = "task.completed";
const failedEvent = "task.failed";
const firedEvent = "timer.fired";

interface Arrow {
  readonly target: string;
  readonly guard: JsonRecord | undefined;
  readonly actions: readonly Json[];
  readonly path: Path;
}

interface Machine {
  readonly problems: Problems;
  readonly states: JsonRecord;
}

function listOf(value: Json | undefined): readonly Json[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function readArrows(value: Json | undefined, path: Path, { problems }: Machine): Arrow[] {
  return listOf(value).flatMap((raw, at): Arrow[] => {
    const place = Array.isArray(value) ? [...path, at] : path;
    const arrow = typeof raw === "string" ? { target: raw } : raw;
    if (!isJsonRecord(arrow) || typeof arrow["target"] !== "string") {
      problems.error("definition/wrong-value", place, "must be the name of a state, or { target, guard, actions }");
      return [];
    }
    const { target, guard, actions } = arrow;
    if (guard !== undefined && !isJsonRecord(guard))
      problems.error("definition/wrong-value", [...place, "guard"], 'must be { type: "when", params: { expression } }');
    return [{ target, guard: isJsonRecord(guard) ? guard : undefined, actions: listOf(actions), path: place }];
  });
}

/** Where an arrow leads, as steps write it. */
function targetOf({ target, path }: Arrow, { states, problems }: Machine): string {
  const state = Object.hasOwn(states, target) ? states[target] : undefined;
  if (!isJsonRecord(state)) {
    const near = suggestName(target, Object.keys(states), "among the states");
    problems.error("definition/unknown-step", path, `leads to \`${target}\`, and there is no such state; ${near}`);
    return "$end";
  }
  if (state["type"] !== "final") return target;
  return listOf(state["tags"]).includes("failed") ? "$fail" : "$end";
}

function paramOf(guard: JsonRecord | undefined, name: string): Json | undefined {
  const params = guard?.["params"];
  return isJsonRecord(params) ? params[name] : undefined;
}

/** Arrows as choices: the first whose guard holds; the last one has none, or nothing would be sure to follow. */
function choicesOf(arrows: readonly Arrow[], path: Path, machine: Machine): Json {
  const choices = arrows.map((arrow): JsonRecord => {
    const to = targetOf(arrow, machine);
    if (arrow.guard === undefined) return { to };
    const when = paramOf(arrow.guard, "expression");
    if (arrow.guard["type"] !== "when" || typeof when !== "string")
      machine.problems.error(
        "definition/wrong-value",
        [...arrow.path, "guard"],
        'must be { type: "when", params: { expression: "$.output.ok" } }; functions are not durable',
      );
    return { when: typeof when === "string" ? when : "false", to };
  });
  const last = arrows.at(-1);
  if (last === undefined || last.guard !== undefined)
    machine.problems.error(
      "definition/missing-field",
      path,
      "needs a last arrow without a guard, or the run could stand still",
    );
  return choices.length === 1 && choices[0]?.["when"] === undefined ? (choices[0]?.["to"] ?? "$end") : choices;
}

/** The variables that arrows set, which are the same on all of them: they are computed once, when the state is done. */
function outputOf(arrows: readonly Arrow[], { problems }: Machine): JsonRecord {
  const output = new Map<string, Json>();
  for (const { actions, path } of arrows)
    for (const action of actions) {
      const params = isJsonRecord(action) && action["type"] === "set" ? action["params"] : undefined;
      if (!isJsonRecord(params)) {
        problems.error(
          "definition/wrong-value",
          [...path, "actions"],
          'may only be { type: "set", params: { variable: "$.output" } }',
        );
        continue;
      }
      for (const [name, value] of Object.entries(params)) {
        if (output.has(name) && JSON.stringify(output.get(name)) !== JSON.stringify(value))
          problems.error(
            "definition/write-conflict",
            [...path, "actions"],
            `sets \`${name}\` otherwise than another arrow of this state`,
          );
        output.set(name, value);
      }
    }
  return Object.fromEntries(output);
}

function routesOf(arrows: readonly Arrow[], machine: Machine): Json[] {
  return arrows.map((arrow): JsonRecord => {
    const codes = paramOf(arrow.guard, "codes");
    if (arrow.guard !== undefined && (arrow.guard["type"] !== "failure" || codes === undefined))
      machine.problems.error(
        "definition/wrong-value",
        [...arrow.path, "guard"],
        'must be { type: "failure", params: { codes: ["call/*"] } }',
      );
    return { error: codes ?? "*", next: targetOf(arrow, machine) };
  });
}

/** What a state does on entry: at most one effect. */
function effectOf(
  state: JsonRecord,
  path: Path,
  { problems }: Machine,
): { type: string; params: JsonRecord } | undefined {
  const [first, ...more] = listOf(state["entry"]);
  if (first === undefined) return undefined;
  const type = isJsonRecord(first) ? first["type"] : first;
  if (more.length > 0 || (type !== "task" && type !== "timer")) {
    problems.error(
      "definition/wrong-value",
      [...path, "entry"],
      'must be one effect: { type: "task", params: { capability, input } } or { type: "timer", params: { for } }',
    );
    return undefined;
  }
  const params = isJsonRecord(first) ? first["params"] : undefined;
  return { type, params: isJsonRecord(params) ? params : {} };
}

function checkFields(state: JsonRecord, path: Path, { problems }: Machine): void {
  for (const field of Object.keys(state)) {
    const why = lost.get(field);
    if (why !== undefined) problems.error("definition/unknown-field", [...path, field], `\`${field}\` ${why}`);
    else if (!stateFields.includes(field))
      problems.error(
        "definition/unknown-field",
        [...path, field],
        `there is no field \`${field}\` here; ${suggestName(field, stateFields, "here")}`,
      );
  }
  const { type } = state;
  if (type !== undefined && type !== "atomic" && type !== "final")
    problems.error(
      "definition/wrong-value",
      [...path, "type"],
      `\`${JSON.stringify(type)}\` is not read; states are atomic or final`,
    );
}

/** One state as a step. */
function stepOf(id: string, state: JsonRecord, machine: Machine): JsonRecord {
  const path: Path = ["states", id];
  const { problems } = machine;
  const { description, on, always } = state;
  const name = typeof description === "string" ? description : id;
  const events = isJsonRecord(on) ? on : {};
  const effect = effectOf(state, path, machine);
  const arrowsOf = (event: string): Arrow[] =>
    readArrows(Object.hasOwn(events, event) ? events[event] : undefined, [...path, "on", event], machine);
  const only = (...known: readonly string[]): void => {
    for (const event of Object.keys(events))
      if (!known.includes(event))
        problems.error(
          "definition/unknown-step",
          [...path, "on", event],
          `is never heard here; this state hears ${known.join(" and ")}`,
        );
  };
  const leads = (arrows: readonly Arrow[], at: Path): JsonRecord => {
    const output = outputOf(arrows, machine);
    return { next: choicesOf(arrows, at, machine), ...(Object.keys(output).length === 0 ? {} : { output }) };
  };
  if (effect?.type === "task") {
    only(doneEvent, failedEvent);
    const failed = routesOf(arrowsOf(failedEvent), machine);
    const done = leads(arrowsOf(doneEvent), [...path, "on", doneEvent]);
    return { ...effect.params, id, name, type: "task", ...done, ...(failed.length === 0 ? {} : { onError: failed }) };
  }
  if (effect?.type === "timer") {
    only(firedEvent);
    return { id, name, type: "wait", wait: effect.params, ...leads(arrowsOf(firedEvent), [...path, "on", firedEvent]) };
  }
  if (always !== undefined)
    return {
      id,
      name,
      type: "wait",
      wait: { for: 0 },
      ...leads(readArrows(always, [...path, "always"], machine), [...path, "always"]),
    };
  const [event, ...others] = Object.keys(events);
  if (event === undefined || others.length > 0) {
    const why = event === undefined ? "does nothing and hears nothing" : `waits for ${others.length + 1} events`;
    problems.error(
      "definition/wrong-value",
      path,
      `${why}; give it a task, a timer, \`always\`, or one event, or make it final`,
    );
    return { id, name, type: "wait", wait: { for: 0 }, next: "$end" };
  }
  return { id, name, type: "event", event: { name: event }, ...leads(arrowsOf(event), [...path, "on", event]) };
}

function readMachine(document: JsonRecord, { problems, origins }: DialectContext): JsonRecord {
  const { id, initial, states, context, ...rest } = document;
  const all = isJsonRecord(states) ? states : {};
  const machine: Machine = { problems, states: all };
  const entries = Object.entries(all).flatMap(([name, state]): [string, JsonRecord][] => {
    if (isJsonRecord(state)) return [[name, state]];
    problems.error("definition/wrong-value", ["states", name], "must be a state: an object");
    return [];
  });
  for (const [name, state] of entries) checkFields(state, ["states", name], machine);
  const first = typeof initial === "string" ? initial : "";
  if (!Object.hasOwn(all, first))
    problems.error(
      "definition/unknown-step",
      ["initial"],
      `must name a state; ${suggestName(first, Object.keys(all), "among the states")}`,
    );
  const steps = entries
    .filter(([, state]) => state["type"] !== "final")
    .toSorted(([left], [right]) => Number(right === first) - Number(left === first))
    .map(([name, state]) => {
      const step = stepOf(name, state, machine);
      origins.set(step, ["states", name]);
      return step;
    });
  return {
    ...rest,
    ...(rest["key"] === undefined && id !== undefined ? { key: id } : {}),
    ...(context === undefined ? {} : { variables: context }),
    steps,
  };
}

export const machineDialect: Dialect = {
  name: "machine",
  summary: "`initial` and `states`: a hand-written XState machine in the durable subset; each state is a step.",
  matches: (document) => document["steps"] === undefined && isJsonRecord(document["states"]),
  read: (document, context) => ({ definitions: [{ document: readMachine(document, context), path: [] }] }),
};
