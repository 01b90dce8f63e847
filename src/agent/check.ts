import { checkBackoff } from "../../machines/backoff.ts";
import type { AgentPolicy, CapabilitySpec, Recovery } from "./define.ts";

/** Names of agents, and of supervisors and their children: each is one part of a path. */
export const namePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
const capabilityPattern = /^[a-z0-9][a-z0-9._:-]{0,127}(@[1-9][0-9]{0,5})?$/i;

/** Most handlers of one agent that may run at once. */
export const concurrencyMax = 10_000;
/** Most messages one mailbox may be declared to hold. */
export const mailboxCapacityMax = 10_000_000;

/** Most attempts, fallbacks and other agents that one recovery chain may declare. */
export const recoveryLinksMax = 100;
/** Most failures in a row, and most probes, that a breaker may be declared to wait for. */
export const breakerCountMax = 10_000;

const overflows: readonly unknown[] = [undefined, "busy", "drop-oldest", "drop-newest"];

function outside(value: number | undefined, low: number, high: number): boolean {
  return value !== undefined && !(Number.isInteger(value) && value >= low && value <= high);
}

/** What an agent offers, by name: what answers once, and what tells item after item. */
interface Offered {
  readonly capabilities: object;
  readonly streams: object;
}

/** Says what is wrong with a definition, or nothing. */
export function checkAgentSpec(
  name: string,
  { capabilities, streams }: Offered,
  policy: AgentPolicy,
): string | undefined {
  if (typeof name !== "string" || !namePattern.test(name))
    return `agent name ${JSON.stringify(name)} must be 1 to 64 letters, digits, ".", "_" or "-", starting with a letter or digit`;
  if (typeof capabilities !== "object" || capabilities === null)
    return `agent "${name}" needs capabilities: an object from a name to { input, output, run }`;
  if (typeof streams !== "object" || streams === null)
    return `streams of agent "${name}" must be an object from a name to { input, items, output, run }`;
  const names = [...Object.keys(capabilities), ...Object.keys(streams)];
  if (names.length === 0) return `agent "${name}" declares no capability; give it at least one`;
  return checkOffered(name, names, { capabilities, streams }) ?? checkPolicy(name, policy);
}

function checkOffered(name: string, names: readonly string[], { capabilities, streams }: Offered): string | undefined {
  for (const [place, capability] of names.entries()) {
    if (!capabilityPattern.test(capability)) {
      return `capability ${JSON.stringify(capability)} of agent "${name}" must be letters, digits, ".", "_", ":" or "-", with an optional "@major" at the end`;
    }
    const isTwice = capability.endsWith("@1") && names.includes(capability.slice(0, -2));
    if (isTwice || names.indexOf(capability) !== place)
      return `agent "${name}" declares ${capability} twice: a name without a major version is version 1, and a stream is a capability too`;
    const isStream = Object.hasOwn(streams, capability);
    const spec = ((isStream ? streams : capabilities) as Record<string, Partial<CapabilitySpec> | undefined>)[
      capability
    ];
    const label = `${isStream ? "stream" : "capability"} "${capability}" of agent "${name}"`;
    if (spec?.input === undefined || spec.output === undefined) return `${label} needs an input and an output schema`;
    if (!isSchema(spec.input) || !isSchema(spec.output))
      return `${label} needs zod schemas for input and output, such as z.object({ name: z.string() })`;
    if (typeof spec.run !== "function") return `${label} needs a run function`;
    if (isStream && (spec.items === undefined || !isSchema(spec.items)))
      return `${label} needs a zod schema for its items`;
    if (isStream && (spec.recovery !== undefined || spec.idempotent !== undefined))
      return `${label} cannot be tried again, since what it has told cannot be taken back: leave recovery and idempotent out`;
    const problem = checkRecovery(label, spec.recovery ?? {}) ?? checkBreaker(label, spec.breaker);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkRecovery(label: string, { retry, fallback, anotherAgent }: Recovery): string | undefined {
  if (retry !== undefined && (retry.attempts === undefined || outside(retry.attempts, 1, recoveryLinksMax)))
    return `recovery.retry.attempts of ${label} must be a whole number from 1 to ${recoveryLinksMax}`;
  if (outside(anotherAgent, 0, recoveryLinksMax))
    return `recovery.anotherAgent of ${label} must be a whole number from 0 to ${recoveryLinksMax}`;
  if ((fallback?.length ?? 0) > recoveryLinksMax)
    return `recovery.fallback of ${label} has more than ${recoveryLinksMax} entries`;
  for (const each of fallback ?? [])
    if (!("cached" in each || "capability" in each || "approach" in each))
      return `each fallback of ${label} must be { capability }, { approach, input } or { cached: true, maxAgeMs }`;
    else if ("cached" in each && !(each.maxAgeMs >= 0))
      return `maxAgeMs of the cached fallback of ${label} must be 0 or more`;
  return retry?.backoff === undefined ? undefined : checkBackoff(`recovery.retry.backoff of ${label}`, retry.backoff);
}

function checkBreaker(label: string, breaker: CapabilitySpec["breaker"]): string | undefined {
  if (breaker === undefined || breaker === false) return undefined;
  if (outside(breaker.failures, 1, breakerCountMax) || outside(breaker.probes, 1, breakerCountMax))
    return `breaker of ${label} needs failures and probes from 1 to ${breakerCountMax}`;
  return breaker.openMs !== undefined && !(breaker.openMs >= 0)
    ? `breaker.openMs of ${label} must be 0 or more`
    : undefined;
}

function isSchema(value: unknown): boolean {
  return typeof (value as { readonly safeParse?: unknown }).safeParse === "function";
}

/** Every field of a policy there is; anything else is a slip of the pen. */
const policyFields: { readonly [Field in keyof AgentPolicy]-?: true } = {
  concurrency: true,
  mailbox: true,
  onDemand: true,
  heartbeat: true,
  startTimeoutMs: true,
};

function checkPolicy(name: string, policy: AgentPolicy): string | undefined {
  const unknown = Object.keys(policy).find((field) => !Object.hasOwn(policyFields, field));
  if (unknown !== undefined)
    return `agent "${name}" has no setting "${unknown}"; there are ${Object.keys(policyFields).join(", ")}`;
  if (outside(policy.concurrency, 1, concurrencyMax))
    return `concurrency of agent "${name}" must be a whole number from 1 to ${concurrencyMax}`;
  if (outside(policy.mailbox?.capacity, 1, mailboxCapacityMax))
    return `mailbox.capacity of agent "${name}" must be a whole number from 1 to ${mailboxCapacityMax}`;
  if (!overflows.includes(policy.mailbox?.overflow))
    return `mailbox.overflow of agent "${name}" must be "busy", "drop-oldest" or "drop-newest"`;
  if (policy.startTimeoutMs !== undefined && !(policy.startTimeoutMs > 0))
    return `startTimeoutMs of agent "${name}" must be more than 0`;
  const demand = policy.onDemand;
  if (demand !== undefined && (outside(demand.max, 1, 1_000_000) || outside(demand.min, 0, demand.max))) {
    return `onDemand of agent "${name}" needs a max of at least 1 and a min from 0 to max`;
  }
  if (demand?.idleMs !== undefined && !(demand.idleMs >= 0))
    return `onDemand.idleMs of agent "${name}" must be 0 or more`;
  const beat = policy.heartbeat;
  if (beat !== undefined && (!(beat.everyMs >= 1) || outside(beat.missed, 1, 1_000)))
    return `heartbeat of agent "${name}" needs everyMs of at least 1 and missed from 1 to 1,000`;
  return undefined;
}
