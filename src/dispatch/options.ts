import { checkAllowance } from "../../machines/call/budget.ts";
import type { CallOptions } from "../agent/context.ts";
import { TroupeError } from "../errors.ts";

/** The longest deadline a call may name: one hour. Longer work belongs into a workflow. */
export const callTimeoutMaxMs = 3_600_000;
/** Entries of baggage that one call may carry. */
export const baggageEntriesMax = 16;
/** Characters of all baggage of one call, keys and values together. */
export const baggageCharactersMax = 4_096;
/** Characters of an idempotency key. */
export const keyCharactersMax = 512;

const priorities: readonly unknown[] = [undefined, "high", "normal", "low"];

function refuse(message: string): never {
  throw new TroupeError("usage/invalid-options", message);
}

/** Throws for a value that no call can have: the caller broke the contract. `inherited` is the baggage it travels with. */
export function checkCallOptions(options: CallOptions, inherited?: Readonly<Record<string, string>>): void {
  const { timeoutMs, key, affinity, budget, baggage } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs >= 1 && timeoutMs <= callTimeoutMaxMs))
    refuse(`timeoutMs is ${timeoutMs}; it must be from 1 to ${callTimeoutMaxMs}`);
  if (options.deadlineAt !== undefined && !Number.isFinite(options.deadlineAt))
    refuse("deadlineAt must be a finite time in epoch milliseconds");
  if (!priorities.includes(options.priority))
    refuse(`priority is ${JSON.stringify(options.priority)}; use "high", "normal" or "low"`);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    refuse("signal must be an AbortSignal; a controller has one as controller.signal");
  checkKey("key", key);
  checkKey("affinity", affinity);
  if (budget !== undefined) {
    if (typeof budget !== "object" || budget === null) refuse("budget must be an object such as { calls: 10 }");
    const problem = checkAllowance(budget);
    if (problem !== undefined) refuse(problem);
  }
  if (baggage !== undefined) checkBaggage({ ...inherited, ...baggage });
}

function checkKey(name: string, key: string | undefined): void {
  if (key !== undefined && !(typeof key === "string" && key.length > 0 && key.length <= keyCharactersMax))
    refuse(`${name} must be a text of 1 to ${keyCharactersMax} characters`);
}

function checkBaggage(baggage: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(baggage);
  if (entries.length > baggageEntriesMax)
    refuse(`baggage has ${entries.length} entries, inherited ones included; at most ${baggageEntriesMax} are allowed`);
  let characters = 0;
  for (const [name, value] of entries) {
    if (typeof value !== "string") refuse(`baggage.${name} must be a text`);
    characters += name.length + value.length;
  }
  if (characters > baggageCharactersMax)
    refuse(
      `baggage has ${characters} characters, inherited ones included; at most ${baggageCharactersMax} are allowed`,
    );
}
