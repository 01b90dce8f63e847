import type { Json } from "../../machines/failure.ts";
import { TroupeError } from "../errors.ts";
import { keyCharactersMax } from "../dispatch/options.ts";
import { laneOf } from "./run/draft.ts";
import type { StartOptions } from "./engine.ts";
import { toJson } from "./desk/task-desk.ts";

/** The longest time that a run may be given to be done: a hundred years. */
const deadlineMsMax = 3_155_760_000_000;
/** Longest name in the options of a run, in characters. */
const nameCharactersMax = 128;

/** How a run is begun. Everything has a default. */
export interface RunOptions {
  /** Idempotent start key: the same key finds the same run, whatever happened in between. */
  readonly key?: string;
  /** Stops the run when it aborts. */
  readonly signal?: AbortSignal;
  /** Milliseconds from now until the run is ended, should it not be done; tasks of urgent runs go first. */
  readonly deadlineMs?: number;
  readonly priority?: "high" | "normal" | "low";
  /** Default "default". */
  readonly namespace?: string;
  /** The arm of an A/B run; default "". */
  readonly variant?: string;
}

function refuse(message: string): never {
  throw new TroupeError("usage/invalid-options", message);
}

/** Throws for a name that no namespace or variant can have. */
export function checkTenant(field: "namespace" | "variant", value: string): void {
  if (value.length > nameCharactersMax || (field === "namespace" && value.length === 0))
    refuse(`${field} must have ${field === "namespace" ? 1 : 0} to ${nameCharactersMax} characters`);
}

export function toStartOptions(options: RunOptions, now: number): StartOptions {
  const { key, deadlineMs, priority = "normal", namespace = "default", variant = "" } = options;
  if (key !== undefined && (key.length === 0 || key.length > keyCharactersMax))
    refuse(`key must have 1 to ${keyCharactersMax} characters`);
  if (key !== undefined && reservedKey.test(key))
    refuse(`key "${key}" begins with a word that Troupe keeps for itself`);
  if (deadlineMs !== undefined && !(deadlineMs >= 1 && deadlineMs <= deadlineMsMax))
    refuse(`deadlineMs is ${deadlineMs}; it must be from 1 to ${deadlineMsMax}`);
  if (!Object.hasOwn(laneOf, priority)) refuse(`priority is "${String(priority)}"; use high, normal or low`);
  checkTenant("namespace", namespace);
  checkTenant("variant", variant);
  return {
    namespace,
    variant,
    lane: laneOf[priority],
    ...(key === undefined ? {} : { key }),
    ...(deadlineMs === undefined ? {} : { deadlineAt: Math.floor(now + deadlineMs) }),
  };
}

/** Keys that the engine gives itself. */
const reservedKey = /^(child|event|schedule):/;

/** The input as the run will see it. Errors: throws `usage/invalid-options` for what JSON cannot carry. */
export function readInput(input: unknown): Json {
  const json = toJson(input ?? {});
  if (!json.ok) refuse(`the input of the run: ${json.failure.message.replace("the output", "it")}`);
  return json.value;
}
