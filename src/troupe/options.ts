import { checkBackoff, type BackoffPlan } from "../../machines/backoff.ts";
import { heartbeatMsMax, heartbeatMsMin } from "../../machines/session/limits.ts";
import { defaultIntensity, intensityRestartsMax, type Intensity } from "../../machines/supervision/restart-window.ts";
import type { AutoShutdown, Restart, Strategy as SupervisionStrategy } from "../../machines/supervision/strategy.ts";
import type { AgentDefinition } from "../agent/define.ts";
import { strategies, type Strategy } from "../dispatch/selection.ts";
import type { ContentRoute, Enrich, MapOutcome } from "../dispatch/stages.ts";
import { TroupeError } from "../errors.ts";
import type { InspectorPlace } from "../ports/inspection.ts";
import type { Store } from "../ports/store.ts";
import type { EngineOptions } from "../workflow/engine-options.ts";
import type { Durability } from "../store/sqlite/protocol.ts";
import type { Ports } from "../system/core.ts";
import { defaultShutdownMs, type ChildSpec } from "../system/supervision.ts";
import type { SupervisorSettings } from "../system/supervisor-settings.ts";
import type { RemotePeer } from "./network/doors.ts";

/** How long `connect` tries before it gives up, unless the caller says otherwise. */
export const connectTimeoutMs = 10_000;

/** Times of every link that this node listens or dials for. */
export interface LinkOptions {
  /** Silence after which this side gives a sign of life, 100 to 60,000 ms; default 5,000. */
  readonly heartbeatMs?: number;
  /** How long a session outlives its connection, 500 to 600,000 ms; default 60,000. */
  readonly sessionMs?: number;
}

/** What a troupe is made of. Everything has a default. */
export interface TroupeOptions<Definitions extends readonly AgentDefinition[] = readonly AgentDefinition[]> {
  /** Agents known from the start; their capabilities type `call`, and those with `onDemand` are spawned as needed. */
  readonly agents?: Definitions;
  /** The name of this node; default "local". */
  readonly node?: string;
  /** How one of several able agents is chosen; default "balanced". */
  readonly strategy?: Strategy;
  /** Rules of the content-routing stage; the first that matches decides. */
  readonly routes?: readonly ContentRoute[];
  /** Pure stages of your own, before routing and after the outcome. */
  readonly stages?: { readonly enrich?: readonly Enrich[]; readonly map?: readonly MapOutcome[] };
  readonly limits?: { readonly residentActors?: number };
  /** How long an outcome answers its idempotency key; default 600,000 ms. */
  readonly idempotencyRetentionMs?: number;
  /** Where runs and decisions are kept: a file, or ":memory:" (the default), or a store of your own. */
  readonly store?: string | Store;
  /**
   * What a commit to the store file survives. "full" (the default): a power cut. "normal": a power cut, but for the
   * last moments. "memory": the end of this process, not that of the machine.
   */
  readonly durability?: Durability;
  /** How durable runs are limited, and which capabilities are done outside of this troupe. */
  readonly workflows?: EngineOptions;
  /** How links to other nodes keep time; a supervisor of a child on a lost node waits by these times. */
  readonly links?: LinkOptions;
  /** Shows every actor in the Stately Inspector: `true` serves its page on loopback, `{ url }` sends to one that runs already. */
  readonly inspect?: boolean | InspectorPlace;
  /** Time, chance, ids and log, for tests and embedding. */
  readonly ports?: Partial<Omit<Ports, "observe">>;
}

/** How a group of children is supervised. */
export interface SupervisionOptions {
  readonly strategy?: SupervisionStrategy;
  /** Default: 1 restart in 5,000 ms, counted per supervisor. */
  readonly intensity?: Partial<Intensity>;
  readonly backoff?: BackoffPlan;
  readonly autoShutdown?: AutoShutdown;
}

/** How one child is treated. Stop is the default; a restart is declared. Source: OTP child specification. */
export interface ChildOptions {
  /**
   * Default "temporary" for `spawn`: a crashed agent stays down. A declared tree or swarm is there to stay, so its
   * members are "permanent" unless they say otherwise. Source: docs/decisions/0013.
   */
  readonly restart?: Restart;
  /** How long an orderly stop may take, in milliseconds; default 5,000. */
  readonly shutdownMs?: number;
  readonly significant?: boolean;
}

/** How many agents to spawn, and how their supervisor treats them. */
export interface SpawnOptions extends ChildOptions {
  /** Default 1. */
  readonly count?: number;
  /** Voting weight of each, a whole number of at least 1; default 1. */
  readonly weight?: number;
  /** Counts for this definition's group, and is fixed by the first spawn that names it. */
  readonly intensity?: Partial<Intensity>;
  readonly backoff?: BackoffPlan;
}

/** A declared child of a supervision tree: agents of one definition, or another tree. */
export type ChildDeclaration =
  | (ChildOptions & {
      readonly agent: AgentDefinition;
      readonly count?: number;
      readonly name?: string;
      readonly weight?: number;
    })
  | RemoteChildDeclaration
  | SupervisionTree;

/**
 * An agent on another node, spawned there by a name that it exposes and grants: "spawn:worker@1" and "watch:/*". A lost
 * node is its crash; it is started again on the next of its nodes once the lost one can do nothing more.
 */
export interface RemoteChildDeclaration extends ChildOptions {
  /** What the nodes expose: "worker@1". */
  readonly remote: string;
  /** Where it may run: the first that can be reached. */
  readonly on: readonly RemotePeer[];
  /** Default: the exposed name without its version. */
  readonly name?: string;
  readonly weight?: number;
}

/** A supervision tree as data. Children start from left to right and stop in reverse. */
export interface SupervisionTree extends SupervisionOptions, ChildOptions {
  readonly name: string;
  readonly children: readonly ChildDeclaration[];
}

export function refuseOption(message: string): never {
  throw new TroupeError("usage/invalid-options", message);
}

/** Throws unless `value` is absent or a whole number within the range. */
export function checkWhole(
  name: string,
  value: number | undefined,
  range: { readonly low: number; readonly high: number },
): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < range.low || value > range.high)
    refuseOption(`${name} is ${value}; it must be a whole number from ${range.low} to ${range.high}`);
}

const restarts: readonly Restart[] = ["permanent", "transient", "temporary"];
const supervisions: readonly SupervisionStrategy[] = ["one-for-one", "one-for-all", "rest-for-one"];
const shutdowns: readonly AutoShutdown[] = ["never", "any-significant", "all-significant"];
const counts: readonly Intensity["per"][] = ["supervisor", "child"];

/** Throws unless `value` is absent or one of those allowed. */
function checkOneOf<Value>(name: string, value: Value | undefined, allowed: readonly Value[]): void {
  if (value !== undefined && !allowed.includes(value))
    refuseOption(`${name} is "${String(value)}"; use one of ${allowed.join(", ")}`);
}

export function toChildSpec(options: ChildOptions, fallback: Partial<ChildSpec> = {}): ChildSpec {
  checkOneOf("restart", options.restart, restarts);
  if (options.shutdownMs !== undefined && !(options.shutdownMs >= 0))
    refuseOption(`shutdownMs is ${options.shutdownMs}; it must be 0 or more`);
  const restart = options.restart ?? fallback.restart ?? "temporary";
  if (options.significant === true && restart === "permanent")
    refuseOption(
      "significant has no meaning for a permanent child, which always comes back; declare it transient or temporary",
    );
  return {
    restart,
    shutdownMs: options.shutdownMs ?? fallback.shutdownMs ?? defaultShutdownMs,
    significant: options.significant ?? false,
  };
}

export function toSettings(options: SupervisionOptions): Partial<SupervisorSettings> {
  const { strategy, intensity, backoff, autoShutdown } = options;
  checkOneOf("strategy", strategy, supervisions);
  checkOneOf("autoShutdown", autoShutdown, shutdowns);
  checkOneOf("intensity.per", intensity?.per, counts);
  checkWhole("intensity.restarts", intensity?.restarts, { low: 0, high: intensityRestartsMax });
  if (intensity?.withinMs !== undefined && !(intensity.withinMs > 0))
    refuseOption("intensity.withinMs must be more than 0");
  const problem = backoff === undefined ? undefined : checkBackoff("backoff", backoff);
  if (problem !== undefined) refuseOption(problem);
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(intensity === undefined ? {} : { intensity: { ...defaultIntensity, ...intensity } }),
    ...(backoff === undefined ? {} : { backoff }),
    ...(autoShutdown === undefined ? {} : { autoShutdown }),
  };
}

const durabilities: readonly Durability[] = ["full", "normal", "memory"];

function checkRange(name: string, ms: number | undefined): void {
  if (ms !== undefined && !(typeof ms === "number" && ms >= 0))
    refuseOption(`${name} is ${String(ms)}; it must be a number of milliseconds, 0 or more`);
}

/** Throws for options that no troupe can be made from. */
export function checkTroupeOptions(options: TroupeOptions): void {
  checkWhole("limits.residentActors", options.limits?.residentActors, { low: 1, high: 16_000_000 });
  if (options.strategy !== undefined && !strategies.includes(options.strategy))
    refuseOption(`strategy is "${options.strategy}"; use one of ${strategies.join(", ")}`);
  checkRange("idempotencyRetentionMs", options.idempotencyRetentionMs);
  for (const [index, route] of (options.routes ?? []).entries()) {
    if (typeof route.capability === "string" && typeof route.when?.path === "string" && typeof route.agent === "string")
      continue;
    refuseOption(`routes[${index}] must be { capability, when: { path, equals }, agent }`);
  }
  const { inspect } = options;
  if (inspect !== undefined && typeof inspect !== "boolean" && (typeof inspect !== "object" || inspect === null))
    refuseOption("inspect must be true, false or { url }");
  for (const [name, stages] of Object.entries(options.stages ?? {}))
    if (!Array.isArray(stages) || stages.some((stage) => typeof stage !== "function"))
      refuseOption(`stages.${name} must be a list of functions`);
  checkWhole("links.heartbeatMs", options.links?.heartbeatMs, { low: heartbeatMsMin, high: heartbeatMsMax });
  checkWhole("links.sessionMs", options.links?.sessionMs, { low: 500, high: 600_000 });
  if (options.store === "") refuseOption('store is empty; name a file, or use ":memory:"');
  if (options.durability !== undefined && !durabilities.includes(options.durability))
    refuseOption(`durability is "${String(options.durability)}"; use one of ${durabilities.join(", ")}`);
}
