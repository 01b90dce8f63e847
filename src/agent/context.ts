import type { Degradation, Json, Outcome } from "../../machines/failure.ts";

/** The most a chain of calls may use. A missing field is no limit; 0 is none at all. Nested calls draw it down. */
export interface Budget {
  readonly calls?: number;
  readonly tokens?: number;
  readonly cost?: number;
}

export type Priority = "high" | "normal" | "low";

/** How one call is made: deadline, cancellation, idempotency, budget and trace. Everything has a default. */
export interface CallOptions {
  /** From now until the deadline, in milliseconds, 1 to 3,600,000; default 30,000. */
  readonly timeoutMs?: number;
  /** Absolute deadline in epoch milliseconds; the earlier of this and `timeoutMs` counts. */
  readonly deadlineAt?: number;
  readonly signal?: AbortSignal;
  readonly priority?: Priority;
  /** Idempotency key: within its retention the same key answers with the first outcome. */
  readonly key?: string;
  /** Calls with the same affinity key go to the same agent while it can take them; else another takes over, and keeps the key. */
  readonly affinity?: string;
  readonly budget?: Budget;
  /** Small strings that travel with every nested call; at most 16 entries and 4,096 characters in all. */
  readonly baggage?: Readonly<Record<string, string>>;
  readonly runId?: string;
  readonly decisionId?: string;
  /** W3C trace context to join; a fresh trace begins without it. */
  readonly traceparent?: string;
  /** Called with each progress report of the handler. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How a stream is made: as a call is, but for the key, since nobody can join one. `timeoutMs` is for all of it. */
export type StreamOptions = Omit<CallOptions, "key">;

/** What a message without a reply may carry: its urgency, and the run, decision, trace and baggage that it belongs to. */
export type TellOptions = Pick<CallOptions, "priority" | "runId" | "decisionId" | "traceparent" | "baggage">;

/** How far a handler has come, in its own words. */
export interface Progress {
  /** 0 to 1, where it is known. */
  readonly fraction?: number;
  readonly note?: string;
}

/** Why `tell` did or did not take the message. */
export type TellResult = "accepted" | "busy" | "stopped";

/** What a handler is given, besides its input. Every function can be taken out by destructuring. */
export interface HandlerContext<Input, State = undefined> {
  readonly input: Input;
  /** What the agent's `start` returned for this incarnation. */
  readonly state: State;
  /**
   * Aborts when the caller cancels, the deadline passes, or the agent is stopped. A listener of yours that throws ends
   * the process, as in any Node.js program: it throws outside every handler.
   */
  readonly signal: AbortSignal;
  readonly key: string | undefined;
  readonly deadlineAt: number;
  readonly runId: string | undefined;
  readonly decisionId: string | undefined;
  readonly traceparent: string;
  readonly baggage: Readonly<Record<string, string>>;
  readonly agent: { readonly path: string; readonly incarnation: number };
  /** Members this agent may call by the topology of its swarm; empty outside a swarm. */
  readonly peers: readonly Peer[];
  /** Calls another agent under this call's deadline, trace, baggage and budget. */
  readonly call: (capability: string, input: unknown, options?: CallOptions) => Promise<Outcome<unknown>>;
  /** Leaves a message without a reply, in the run, decision, trace, baggage and budget of this call. */
  readonly tell: (capability: string, input: unknown, options?: TellOptions) => TellResult;
  readonly progress: (progress: Progress | number, note?: string) => void;
  /** Says that the agent is alive; a progress report counts as one. */
  readonly heartbeat: () => void;
  /** Draws tokens and cost from the budget; beyond it the call ends with `call/budget-exhausted`. */
  readonly spend: (used: { readonly tokens?: number; readonly cost?: number }) => void;
  /** Marks the outcome as degraded. */
  readonly degrade: (degradation: Degradation) => void;
  /** Ends the call with a failure as data, without a crash. `code` is `area/reason`. */
  readonly fail: (code: string, message: string, data?: { readonly [key: string]: Json }) => never;
  /** Ends this agent in good order after what is in hand; a permanent one is started again. */
  readonly exit: () => void;
  readonly log: (message: string, fields?: { readonly [key: string]: Json }) => void;
}

/** Another agent as a handler sees it. */
export interface Peer {
  readonly path: string;
  readonly name: string;
  call(capability: string, input: unknown, options?: CallOptions): Promise<Outcome<unknown>>;
  tell(capability: string, input: unknown, options?: TellOptions): TellResult;
}

/** What `start` and `stop` hooks are given. */
export interface LifeContext {
  readonly path: string;
  readonly incarnation: number;
  readonly signal: AbortSignal;
  readonly log: HandlerContext<unknown>["log"];
}
