import type { Json } from "../failure.ts";
import type { EffectClass, RunPriority, TaskTarget } from "./effects.ts";

/**
 * A definition in its one normal form: what every dialect and every authored form becomes, and what is compiled,
 * stored and hashed. It is JSON-safe, and reading it again gives the same value.
 * Strings of templates and expressions stay as they were written; `compile` parses them once.
 */

/** A value whose strings may be expressions (`$.input.path`) or hold them (`Feature: ${$.input.name}`). */
export type Template = Json;

/** The source of an expression, as `$.variables.issues.length > 0`. */
export type ExpressionText = string;

/** A JSON Schema, as data. */
export type JsonSchema = boolean | { readonly [keyword: string]: Json };

/** Where a path goes on: a step of the same list, `$end` (ends the path well) or `$fail` (fails it). */
export type StepTarget = string;

/** Variables to write: name to value. */
export type Mapping = { readonly [variable: string]: Template };

/** The first choice whose `when` is true; a choice without `when` is always true. */
export interface NextChoice {
  readonly when?: ExpressionText;
  readonly to: StepTarget;
}

export interface RetryPolicy {
  /** The first attempt included. */
  readonly attempts: number;
  readonly strategy: "none" | "linear" | "exponential";
  readonly firstMs: number;
  readonly maxMs: number;
  readonly rate: number;
  /** Share of each delay, 0 to 1, that is taken away by a number drawn from the task id. */
  readonly jitter: number;
  /** Codes to retry, `call/*` included as a pattern; without it, all but Troupe's own whose advice is never. */
  readonly errors?: readonly string[];
}

/** Another way to the result of a step that failed. */
export interface FallbackTask extends TaskTarget {
  readonly input?: Template;
}

/** What follows a failure of one step: the first route whose `error` and `when` fit. */
export interface ErrorRoute {
  /** Failure codes; `*` is any, `call/*` any of that area. */
  readonly error: readonly string[];
  readonly when?: ExpressionText;
  /**
   * next: go on at `next`. continue: go on as if it had completed, with `result` as its output. fallback: have another
   * task do it. rollback: go back to the last completed step with `checkpoint` and its variables. fail: the run fails.
   */
  readonly action: "next" | "continue" | "fallback" | "rollback" | "fail";
  readonly next?: StepTarget;
  readonly result?: Template;
  readonly fallback?: FallbackTask;
}

/** A task that undoes a completed step. Its input is computed when the step completes. */
export interface CompensateTask extends TaskTarget {
  readonly input?: Template;
  readonly retry?: RetryPolicy;
}

/** How several values that branches wrote to one variable become one; a string starting with `$` computes it from `$.values`. */
export type MergeRule = "fail" | "list" | "last" | (ExpressionText & {});

/** How many branches must complete: all of them, none (whatever happens is a result), the first, or a number. */
export type JoinRule = "all" | "settled" | "any" | { readonly atLeast: number | `${number}%` };

export interface Branch {
  readonly id: string;
  readonly name: string;
  readonly steps: readonly Step[];
  /** Branches that must end before this one starts. */
  readonly after?: readonly string[];
  /** What the branch gives back; default: the output of its last step. */
  readonly result?: Template;
}

interface StepFields {
  /** Unique in the definition. */
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  /** The step is skipped when this is false. */
  readonly condition?: ExpressionText;
  readonly output?: Mapping;
  /** JSON Schema of the step's result; one that does not fit fails the step. */
  readonly schema?: JsonSchema;
  readonly next?: StepTarget | readonly NextChoice[];
  readonly onError?: readonly ErrorRoute[];
  readonly retry?: RetryPolicy;
  /** Milliseconds: of one attempt for a task or sub-workflow, of the visit for every other kind. */
  readonly timeout?: number;
  /** Milliseconds after which a fact says that the step is late. */
  readonly sla?: number;
  readonly compensate?: CompensateTask;
  /** A rollback returns here. */
  readonly checkpoint?: boolean;
  readonly tags?: readonly string[];
}

export interface TaskStep extends StepFields, TaskTarget {
  readonly type: "task";
  readonly input?: Template;
  readonly priority?: RunPriority;
  readonly effect?: EffectClass;
}

export interface SubworkflowStep extends StepFields {
  readonly type: "subworkflow";
  readonly subworkflow: { readonly workflow: string; readonly version?: string };
  readonly input?: Template;
}

export interface ParallelStep extends StepFields {
  readonly type: "parallel";
  readonly parallel: {
    readonly branches: readonly Branch[];
    readonly join: JoinRule;
    readonly concurrency?: number;
    readonly merge?: MergeRule | { readonly [variable: string]: MergeRule };
  };
}

/** Called branch in code: `decision` is the word for a question put to an electorate. */
export interface BranchStep extends StepFields {
  readonly type: "decision";
  readonly decision: {
    readonly expression: ExpressionText;
    readonly branches: { readonly [value: string]: StepTarget };
    readonly default?: StepTarget;
  };
}

export interface WaitStep extends StepFields {
  readonly type: "wait";
  /** Milliseconds, or an expression for them; or a time: epoch milliseconds or ISO 8601. */
  readonly wait: { readonly for: number | ExpressionText } | { readonly until: Template };
}

export interface EventStep extends StepFields {
  readonly type: "event";
  readonly event:
    | {
        readonly name: string;
        /** Only a payload for which this is true; it reads `$.output`. */
        readonly match?: ExpressionText;
        readonly form?: JsonSchema;
      }
    | { readonly emit: string; readonly payload?: Template };
}

export interface MapStep extends StepFields {
  readonly type: "map";
  readonly map: {
    readonly over: Template;
    readonly steps: readonly Step[];
    readonly concurrency: number;
    /** How many items may fail: a number, or a share as `10%`. */
    readonly tolerate: number | `${number}%`;
    /** What one item gives back; default: the output of its last step. */
    readonly result?: Template;
    /** Variables that items write for the run; all others stay with their item. */
    readonly merge?: { readonly [variable: string]: MergeRule };
  };
}

export interface LoopStep extends StepFields {
  readonly type: "loop";
  readonly loop: {
    readonly steps: readonly Step[];
    /** Before each round, goes on while true. */
    readonly while?: ExpressionText;
    /** After each round, stops when true. */
    readonly until?: ExpressionText;
    /** That many rounds, and then on. */
    readonly times?: number;
    /** A round for each item, in order. */
    readonly over?: Template;
    /** The most rounds; one more fails the step. */
    readonly max: number;
    readonly result?: Template;
  };
}

export interface SequenceStep extends StepFields {
  readonly type: "sequence";
  readonly sequence: { readonly steps: readonly Step[]; readonly result?: Template };
}

/** A step of a kind that a user added; its own field has the name of the kind. */
export interface CustomStep extends StepFields {
  readonly type: string & { readonly custom?: never };
  readonly input?: Template;
}

export type BuiltinStep =
  | TaskStep
  | SubworkflowStep
  | ParallelStep
  | BranchStep
  | WaitStep
  | EventStep
  | MapStep
  | LoopStep
  | SequenceStep;

/** One step. `type` tells the kinds apart; a user's kind has the fields that every step has, and its own. */
export type Step = BuiltinStep | CustomStep;

/** What happens when a step fails and has no route of its own for it. */
export interface ErrorHandler {
  readonly error: readonly string[];
  /** A step of the outermost list (the run goes on there), or the key of another workflow (it runs, then the run fails). */
  readonly handler: string;
  /** Of the handler, not of the failed step. */
  readonly retry?: RetryPolicy;
}

export interface Trigger {
  readonly event: string;
  /** Reads the payload as `$.output`. */
  readonly match?: ExpressionText;
  /** The key of the workflow to start; default: this one, with `{ event, payload }` as its input. */
  readonly handler?: string;
}

/** Starts a run again and again: by a cron line or every so many milliseconds. */
export interface Schedule {
  readonly cron?: string;
  readonly everyMs?: number;
  readonly timeZone?: string;
  readonly input?: Json;
}

export interface Definition {
  /** Under which it is registered and other workflows name it. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** JSON Schema of the input. */
  readonly input?: JsonSchema;
  /** JSON Schema of the output. */
  readonly output?: JsonSchema;
  /** What the run gives back; default: its variables. */
  readonly result?: Template;
  /** Variables that exist from the start. */
  readonly variables?: Mapping;
  /** Names of environment values that expressions may read as `$.env.NAME`. */
  readonly env?: readonly string[];
  readonly steps: readonly Step[];
  readonly errorHandlers?: readonly ErrorHandler[];
  readonly timeoutMs?: number;
  /** Milliseconds after which a fact says that the run is late. */
  readonly slaMs?: number;
  readonly priority?: RunPriority;
  /** Most runs of this definition at once; the engine queues the others. */
  readonly concurrency?: number;
  /** Most runs started per time; the engine delays the others. */
  readonly rate?: { readonly runs: number; readonly perMs: number };
  readonly triggers?: readonly Trigger[];
  readonly schedules?: readonly Schedule[];
}
