import type { AnyActorLogic, AnyActorRef } from "xstate";
import type { z } from "zod";
import { TroupeError } from "../errors.ts";
import type { Outcome } from "../../machines/failure.ts";
import type { HandlerContext, LifeContext } from "./context.ts";
import { checkAgentSpec } from "./check.ts";

/** The types of one capability as callers see them: what goes in and what comes out. */
export interface CapabilityTypes {
  readonly input: unknown;
  readonly output: unknown;
  /** What it yields on the way, where it is a stream. */
  readonly item: unknown;
}
export type Capabilities = Readonly<Record<string, CapabilityTypes>>;

/** Waits between attempts: exponential from `firstMs`, times `rate`, up to `maxMs`, less a random part up to `jitter` (0 to 1). */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs?: number;
  readonly rate?: number;
  readonly jitter?: number;
}

/** Another way to an answer when the declared one failed. The first that works wins and the outcome is degraded. */
export type Fallback =
  | { readonly capability: string; readonly input?: (input: unknown) => unknown }
  | { readonly approach: string; readonly input: (input: unknown) => unknown }
  | { readonly cached: true; readonly maxAgeMs: number };

/** What happens after a failed call, in this order: retry, fallback, another healthy agent. First success wins. */
export interface Recovery {
  /** Attempts include the first one. */
  readonly retry?: { readonly attempts: number; readonly backoff?: Backoff; readonly codes?: readonly string[] };
  readonly fallback?: readonly Fallback[];
  /** Also ask up to this many other agents. */
  readonly anotherAgent?: number;
}

/** When a capability of an agent is cut off: `failures` in a row open it for `openMs`, then `probes` calls may try. */
export interface BreakerSettings {
  readonly failures: number;
  readonly openMs: number;
  readonly probes: number;
}

export interface CapabilityPolicy {
  readonly description?: string;
  /** Running it twice does no more than running it once: a call in hand at a crash is run again. */
  readonly idempotent?: boolean;
  readonly recovery?: Recovery;
  /**
   * Fields of the input that are shell commands: in a workflow, values inside them are passed in `env` and never
   * become shell syntax, so the input schema needs an optional `env` of strings.
   */
  readonly shell?: readonly string[];
  /** Default: 5 failures, 60,000 ms, 3 probes. `false` switches it off. */
  readonly breaker?: Partial<BreakerSettings> | false;
}

/** A stream is not tried again: what it has told cannot be taken back. */
export type StreamPolicy = Pick<CapabilityPolicy, "description" | "breaker">;

export interface AgentPolicy {
  /** Calls at once; the rest wait in the mailbox. Default 1: handlers are serialised. */
  readonly concurrency?: number;
  /** Default capacity 4,096; overflow "busy" answers the sender, the others drop and leave a dead letter. */
  readonly mailbox?: { readonly capacity?: number; readonly overflow?: "busy" | "drop-oldest" | "drop-newest" };
  /** Lets the supervisor spawn agents when calls come, up to `max`, and stop those idle for `idleMs`, down to `min`. */
  readonly onDemand?: { readonly min?: number; readonly max: number; readonly idleMs?: number };
  /** A working agent that neither reports progress nor beats for `everyMs` times `missed` becomes suspect. */
  readonly heartbeat?: { readonly everyMs: number; readonly missed?: number };
  /** Longest start, in milliseconds; default 30,000. */
  readonly startTimeoutMs?: number;
}

/** Erased form of a capability, as the runtime keeps it. */
export interface CapabilitySpec extends CapabilityPolicy {
  readonly input: z.ZodType;
  readonly output: z.ZodType;
  /** Set for a stream, whose `run` yields such items. */
  readonly items?: z.ZodType;
  readonly run: (context: HandlerContext<never, never>) => unknown;
  /** Set for a user's machine, instead of `run`. */
  readonly drive?: (actor: AnyActorRef, input: unknown, call: { readonly signal: AbortSignal }) => unknown;
}

const brand = Symbol.for("troupe.agent");

/**
 * An agent that can be spawned any number of times. `Caps` carries the types of its capabilities.
 * Source: docs/decisions/0003 (an agent is its capabilities).
 */
export interface AgentDefinition<Caps extends Capabilities = Capabilities> {
  readonly [brand]: true;
  readonly name: string;
  readonly capabilities: { readonly [capability: string]: CapabilitySpec };
  readonly policy: AgentPolicy;
  readonly start: ((life: LifeContext) => unknown) | undefined;
  readonly stop: ((state: never, life: LifeContext) => unknown) | undefined;
  /** The user's own XState logic, where the agent is one. */
  readonly machine?: AnyActorLogic | undefined;
  readonly machineInput?: unknown;
  /** Never set at run time: it only carries types. */
  readonly types?: Caps;
}

export function isAgentDefinition(value: unknown): value is AgentDefinition {
  return typeof value === "object" && value !== null && brand in value;
}

/** The capability types of a definition. */
export type CapabilitiesOf<Definition> = Definition extends { readonly types?: infer Caps } ? NonNullable<Caps> : never;

/** The outcome of one capability of a definition, after the output schema. */
export type OutcomeOf<Definition, Name extends keyof CapabilitiesOf<Definition>> = Outcome<
  CapabilitiesOf<Definition>[Name] extends { output: infer Output } ? Output : never
>;

type Run<In extends z.ZodType, Out extends z.ZodType, State> = (
  context: HandlerContext<z.output<In>, State>,
) => z.input<Out> | Promise<z.input<Out>>;

type Schemas = Record<string, z.ZodType>;
type None = Record<never, never>;

type Pour<In extends z.ZodType, Item extends z.ZodType, End extends z.ZodType, State> = (
  context: HandlerContext<z.output<In>, State>,
) => AsyncGenerator<z.input<Item>, z.input<End>, void>;

type TypedStreams<From extends Schemas, Items extends Schemas, End extends Schemas> = {
  readonly [Name in keyof From & keyof Items & keyof End & string]: {
    readonly input: z.input<From[Name]>;
    readonly output: z.output<End[Name]>;
    readonly item: z.output<Items[Name]>;
  };
};

export type Typed<In extends Schemas, Out extends Schemas> = {
  readonly [Name in keyof In & keyof Out & string]: {
    readonly input: z.input<In[Name]>;
    readonly output: z.output<Out[Name]>;
    readonly item: never;
  };
};

/**
 * Declares an agent: its name, its capabilities with their schemas, and how it runs.
 * Shape: a definition for `createTroupe({ agents })`, `spawn` and `swarm`; nothing runs yet.
 * What answers once is one of its `capabilities`; what tells item after item, such as the tokens of a text, is one of its
 * `streams`: an `async *run` that yields them, and returns its output at the end.
 * Errors: throws `usage/invalid-definition` for a bad name, no capability, or a limit out of range.
 * @example
 * ```ts
 * import { defineAgent } from "troupe";
 * import { z } from "zod";
 * const greeter = defineAgent({
 *   name: "greeter",
 *   capabilities: {
 *     greet: { input: z.object({ name: z.string() }), output: z.string(), run: ({ input }) => `Hello, ${input.name}` },
 *   },
 *   streams: {
 *     spell: {
 *       input: z.string(),
 *       items: z.string(),
 *       output: z.number(),
 *       async *run({ input }) {
 *         yield* input;
 *         return input.length;
 *       },
 *     },
 *   },
 * });
 * ```
 */
export function defineAgent<
  In extends Schemas = None,
  Out extends Schemas = None,
  State = undefined,
  From extends Schemas = None,
  Items extends Schemas = None,
  End extends Schemas = None,
>(
  spec: AgentPolicy & {
    readonly name: string;
    /** Runs at every start, also after a crash; what it returns is the handlers' `state`. */
    readonly start?: (life: LifeContext) => State | Promise<State>;
    /** Runs at an orderly stop, within the shutdown time. */
    readonly stop?: (state: State, life: LifeContext) => void | Promise<void>;
    readonly capabilities?: {
      readonly [Name in keyof In]: CapabilityPolicy & {
        readonly input: In[Name];
        readonly run: Run<In[Name], Out[Name & keyof Out], State>;
      };
    } & { readonly [Name in keyof Out]: { readonly output: Out[Name] } };
    readonly streams?: {
      readonly [Name in keyof From]: StreamPolicy & {
        readonly input: From[Name];
        readonly run: Pour<From[Name], Items[Name & keyof Items], End[Name & keyof End], State>;
      };
    } & { readonly [Name in keyof Items]: { readonly items: Items[Name] } } & {
      readonly [Name in keyof End]: { readonly output: End[Name] };
    };
  },
): AgentDefinition<Typed<In, Out> & TypedStreams<From, Items, End>> {
  const { name, start, stop, capabilities = {}, streams = {}, ...policy } = spec;
  const problem = checkAgentSpec(name, { capabilities, streams }, policy);
  if (problem !== undefined) throw new TroupeError("usage/invalid-definition", problem);
  return brandDefinition({
    name,
    policy,
    start,
    stop,
    capabilities: { ...capabilities, ...streams },
  });
}

/** Marks a checked definition as one, for every copy of this package. */
export function brandDefinition<Caps extends Capabilities>(
  definition: Omit<AgentDefinition, typeof brand | "types">,
): AgentDefinition<Caps> {
  return Object.freeze({ ...definition, [brand]: true as const });
}
