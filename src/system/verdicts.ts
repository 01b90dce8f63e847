import { inspect } from "node:util";
import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import type { Delivery } from "./delivery.ts";

/** Says in words what a handler or hook threw, whatever it is: this must not throw itself. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${String(thrown.name)}: ${String(thrown.message)}`;
    return typeof thrown === "string" ? thrown : inspect(thrown, { depth: 2 });
  } catch {
    return "something that cannot be put into words";
  }
}

/** The stack of an error, where it has a readable one. */
function stackOf(thrown: unknown): string {
  try {
    return thrown instanceof Error && typeof thrown.stack === "string" ? thrown.stack : "";
  } catch {
    return "";
  }
}

export function startFailure(path: string, cause: string): Failure {
  return failure("agent/start-failed", `agent ${path} could not start: ${cause}`, { agent: path, cause });
}

export function crashFailure(path: string, thrown: unknown): Failure {
  const cause = describeThrown(thrown);
  const stack = stackOf(thrown);
  return failure("agent/crashed", `agent ${path} crashed: ${cause}`, { agent: path, cause, stack });
}

/** The shutdown time was over while a handler still worked on it. */
export function abandonedOutcome(path: string): Outcome<never> {
  const message = `agent ${path} was stopped while it worked on this call`;
  return { ok: false, failure: failure("agent/crashed", message, { agent: path, cause: "shutdown" }) };
}

export function droppedOutcome(path: string): Outcome<never> {
  const message = `the mailbox of agent ${path} overflowed and dropped this call`;
  return { ok: false, failure: failure("call/dropped", message, { agent: path }) };
}

/** What a message gets that still waits when its agent has ended for good. */
export function refusedOutcome(path: string, delivery: Delivery): Outcome<never> {
  if (!delivery.started) {
    const message = `agent ${path} stopped before it started on this call`;
    return { ok: false, failure: failure("agent/stopped", message, { agent: path }) };
  }
  const message = `agent ${path} crashed on this call and was not restarted`;
  return { ok: false, failure: failure("agent/crashed", message, { agent: path, cause: "not restarted" }) };
}
