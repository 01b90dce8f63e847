import type { Json } from "../../machines/failure.ts";
import { redact, redactText } from "./redact.ts";

/**
 * What of a chart, a snapshot and an event leaves the process. Names of states and events are shown as they are,
 * because they draw the chart ("password" may well be a state); every datum beside them passes `redact`. Pure.
 */

/** Deepest nesting of states that is drawn; deeper states are left out. */
export const drawnDepthMax = 16;
/** Most states and transitions of one chart that are drawn; what comes later is left out. */
export const drawnPartsMax = 5_000;
/** Largest chart that is drawn, in bytes of JSON; of a larger one only the name is shown. */
export const drawnBytesMax = 262_144;

/** Longest name of a state, an event or a target that is shown. */
const nameCharactersMax = 200;

interface Fields {
  readonly [name: string]: unknown;
}

/** A JSON object. */
export interface Shown {
  readonly [name: string]: Json;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function showName(value: unknown): string {
  return typeof value === "string" ? value.slice(0, nameCharactersMax) : "";
}

/** Drops what is absent, so that a drawing holds only what its chart declares. */
function present(fields: { readonly [name: string]: Json | undefined }): Shown {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Shown;
}

/** The config of a machine as it may be drawn, or undefined where the logic has none. */
export function drawChart(config: unknown): Shown | undefined {
  if (!isFields(config)) return undefined;
  const drawn = new Drawing().drawNode(config, 0);
  if (Buffer.byteLength(JSON.stringify(drawn)) <= drawnBytesMax) return drawn;
  const id = drawn["id"] ?? "machine";
  return { id, description: `This chart takes more than ${drawnBytesMax} bytes and is not drawn.` };
}

class Drawing {
  #partsLeft = drawnPartsMax;

  drawNode(node: Fields, depth: number): Shown {
    const { id, type, initial, history, target, description, version, tags, meta, context, output } = node;
    return present({
      id: optionalName(id),
      type: optionalName(type),
      initial: typeof initial === "string" ? showName(initial) : undefined,
      history: history === undefined ? undefined : redact(history),
      target: target === undefined ? undefined : this.#drawTarget(target),
      description: typeof description === "string" ? redactText(description) : undefined,
      version: optionalName(version),
      tags: tags === undefined ? undefined : redact(tags),
      entry: this.#drawImplementations(node["entry"]),
      exit: this.#drawImplementations(node["exit"]),
      invoke: this.#drawInvocations(node["invoke"]),
      always: this.#drawArrows(node["always"]),
      on: this.#drawArrowTable(node["on"]),
      after: this.#drawArrowTable(node["after"]),
      onDone: this.#drawArrows(node["onDone"]),
      states: this.#drawStates(node["states"], depth),
      meta: meta === undefined ? undefined : redact(meta),
      context: isData(context) ? redact(context) : undefined,
      output: isData(output) ? redact(output) : undefined,
    });
  }

  #drawStates(states: unknown, depth: number): Shown | undefined {
    if (!isFields(states) || depth >= drawnDepthMax) return undefined;
    return this.#drawTable(states, (state) => (isFields(state) ? this.drawNode(state, depth + 1) : {}));
  }

  #drawArrowTable(arrows: unknown): Shown | undefined {
    return isFields(arrows) ? this.#drawTable(arrows, (arrow) => this.#drawArrows(arrow) ?? null) : undefined;
  }

  #drawTable(table: Fields, draw: (part: unknown) => Json): Shown {
    const drawn: [string, Json][] = [];
    for (const name of Object.keys(table)) {
      if ((this.#partsLeft -= 1) < 0) break;
      drawn.push([showName(name), draw(table[name])]);
    }
    return Object.fromEntries(drawn);
  }

  #drawArrows(arrows: unknown): Json | undefined {
    if (arrows === undefined) return undefined;
    return Array.isArray(arrows) ? this.#drawList(arrows, (arrow) => this.#drawArrow(arrow)) : this.#drawArrow(arrows);
  }

  #drawList(list: readonly unknown[], draw: (part: unknown) => Json): Json[] {
    const drawn: Json[] = [];
    for (const part of list) {
      if ((this.#partsLeft -= 1) < 0) break;
      drawn.push(draw(part));
    }
    return drawn;
  }

  #drawArrow(arrow: unknown): Json {
    if (typeof arrow === "string") return showName(arrow);
    if (!isFields(arrow)) return typeof arrow === "function" ? { description: "[function]" } : null;
    const { target, description, reenter, meta } = arrow;
    return present({
      target: target === undefined ? undefined : this.#drawTarget(target),
      guard: arrow["guard"] === undefined ? undefined : drawImplementation(arrow["guard"]),
      actions: this.#drawImplementations(arrow["actions"]),
      reenter: typeof reenter === "boolean" ? reenter : undefined,
      description: typeof description === "string" ? redactText(description) : undefined,
      meta: meta === undefined ? undefined : redact(meta),
    });
  }

  #drawTarget(target: unknown): Json {
    return Array.isArray(target) ? this.#drawList(target, showName) : showName(target);
  }

  #drawImplementations(given: unknown): Json | undefined {
    if (given === undefined) return undefined;
    return this.#drawList(Array.isArray(given) ? given : [given], drawImplementation);
  }

  #drawInvocations(given: unknown): Json | undefined {
    if (given === undefined) return undefined;
    return this.#drawList(Array.isArray(given) ? given : [given], (invoked) => {
      if (!isFields(invoked)) return drawImplementation(invoked);
      const { id, src, input } = invoked;
      return present({
        id: optionalName(id),
        src: typeof src === "string" ? showName(src) : "[inline logic]",
        input: input === undefined ? undefined : redact(input),
        onDone: this.#drawArrows(invoked["onDone"]),
        onError: this.#drawArrows(invoked["onError"]),
        onSnapshot: this.#drawArrows(invoked["onSnapshot"]),
      });
    });
  }
}

/** A chart's context and output may be functions, which draw nothing. */
function isData(value: unknown): boolean {
  return value !== undefined && typeof value !== "function";
}

function optionalName(value: unknown): string | undefined {
  return typeof value === "string" ? showName(value) : undefined;
}

/** An action, a guard or an actor: by its name, or as what kind of function it is. */
function drawImplementation(given: unknown): Json {
  if (typeof given === "string") return { type: showName(given) };
  if (typeof given === "function") {
    const { type } = given as { readonly type?: unknown };
    return { type: showName(type) || showName(given.name) || "[function]" };
  }
  if (!isFields(given)) return { type: "[unknown]" };
  const { type, params } = given;
  return present({ type: showName(type) || "[unknown]", params: params === undefined ? undefined : redact(params) });
}

/** A state value of XState: the name of a state, or names nested. */
function showStateValue(value: unknown, depth = 0): Json | undefined {
  if (typeof value === "string") return showName(value);
  if (!isFields(value) || depth >= drawnDepthMax) return undefined;
  const shown: [string, Json][] = [];
  for (const name of Object.keys(value)) {
    const below = showStateValue(value[name], depth + 1);
    if (below === undefined || shown.length === drawnPartsMax) return undefined;
    shown.push([showName(name), below]);
  }
  return Object.fromEntries(shown);
}

/** What a snapshot says of its actor: status, active states and data. References to other actors are left out. */
export function showSnapshot(snapshot: unknown): Shown {
  if (!isFields(snapshot)) return { status: "active" };
  const { status, value, context, output, error, input, tags } = snapshot;
  return present({
    status: typeof status === "string" ? showName(status) : "active",
    value: value === undefined ? undefined : (showStateValue(value) ?? redact(value)),
    context: context === undefined ? undefined : redact(context),
    output: output === undefined ? undefined : redact(output),
    error: error === undefined ? undefined : redact(error),
    input: input === undefined ? undefined : redact(input),
    tags: tags === undefined ? undefined : redact(tags),
  });
}

/** An event: its type, and its data without secrets. */
export function showEvent(event: unknown): Shown & { readonly type: string } {
  const shown = redact(event);
  const type = isFields(event) ? showName(event["type"]) : "";
  return { ...(isFields(shown) ? shown : {}), type: type || "[unknown]" };
}
