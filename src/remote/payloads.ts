import { z } from "zod";
import { failureCodes } from "../../machines/failure-codes.ts";
import { failure, type Failure, type Json, type Outcome } from "../../machines/failure.ts";
import { packValue, unpackValue } from "../../machines/wire/values.ts";
import { hostValues } from "./host-values.ts";
import type { RemoteDown } from "./hosting.ts";
import { deathsPerMessageMax } from "./limits.ts";

/** The payloads of answers: checked, since they come from another machine. */

const json = z.custom<Json>(() => true);

const failureSchema = z.object({
  code: z.string().max(128),
  message: z.string().max(16_384),
  retry: z.enum(["now", "later", "never"]),
  data: z.record(z.string(), json),
});

const degradation = z.object({ what: z.string(), why: z.string(), severity: z.enum(["low", "medium", "high"]) });
const replySchema = z.object({ value: json, degraded: z.array(degradation).max(64).exactOptional() });

const downSchema = z.object({
  reason: z.enum(["stopped", "crashed", "noproc", "noconnection", "refused"]),
  refs: z.array(z.string().max(128)).max(deathsPerMessageMax).exactOptional(),
  incarnation: z.int().exactOptional(),
  failure: failureSchema.exactOptional(),
});

const garbled = failure("remote/indeterminate", "the answer of the other node could not be read");

export function writeOutcome(outcome: Outcome<unknown> & { ok: true }): Json | Failure {
  const packed = packValue(outcome.value, hostValues);
  if (!packed.ok) {
    const { path, what } = packed.fault;
    return failure("remote/unsendable", `the answer cannot travel: ${path} ${what}`, { path });
  }
  return outcome.degraded === undefined
    ? { value: packed.value }
    : { value: packed.value, degraded: outcome.degraded as never };
}

/** Whether `writeOutcome` gave a failure in the place of a payload. */
export function isFailure(value: Json | Failure): value is Failure {
  return typeof value === "object" && value !== null && "code" in value && "retry" in value;
}

/** The usual answer, which needs no schema: a value and nothing else. */
function isBareReply(payload: Json | undefined): payload is { readonly value: Json } {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return false;
  return Object.hasOwn(payload, "value") && !("degraded" in payload);
}

export function readOutcome(payload: Json | undefined): Outcome<unknown> {
  if (isBareReply(payload)) return { ok: true, value: unpackValue(payload.value, hostValues) };
  const parsed = replySchema.safeParse(payload);
  if (!parsed.success) return { ok: false, failure: garbled };
  const value = unpackValue(parsed.data.value, hostValues);
  return parsed.data.degraded === undefined ? { ok: true, value } : { ok: true, value, degraded: parsed.data.degraded };
}

/**
 * A failure as its receiver may keep it: where its own words cannot travel, at least its code does. The stack of a crash
 * stays here: it holds the folders of this machine.
 */
export function writeFailure(failed: Failure): Json {
  const { stack: _stack, ...unlocated } = failed.data;
  const packed = packValue(failed.code === "agent/crashed" ? unlocated : failed.data, hostValues);
  const { code, message, retry } = failed;
  return { code, message: message.slice(0, 16_384), retry, data: packed.ok ? packed.value : {} };
}

export function readFailure(payload: Json | undefined): Failure {
  const parsed = failureSchema.safeParse(payload);
  if (!parsed.success) return garbled;
  const { code, message, retry, data } = parsed.data;
  // The table's advice counts for its own codes: a peer does not decide whether a call is safe to repeat.
  const advice = code in failureCodes ? failureCodes[code as keyof typeof failureCodes].retry : retry;
  return { code, message, retry: advice, data };
}

/** Deaths of one kind travel together: mass deaths must not fill the session. */
export function writeDown(refs: readonly string[], down: RemoteDown): Json {
  return {
    reason: down.reason,
    ...(refs.length > 1 ? { refs } : {}),
    ...(down.incarnation === undefined ? {} : { incarnation: down.incarnation }),
    ...(down.failure === undefined ? {} : { failure: writeFailure(down.failure) }),
  };
}

export function readDown(payload: Json | undefined, first: string): { id: string; down: RemoteDown }[] {
  const parsed = downSchema.safeParse(payload);
  if (!parsed.success) return [{ id: first, down: { reason: "noconnection" } }];
  const { refs, reason, incarnation, failure: failed } = parsed.data;
  const down: RemoteDown = {
    reason,
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(failed === undefined ? {} : { failure: failed }),
  };
  return (refs ?? [first]).map((id) => ({ id, down }));
}
