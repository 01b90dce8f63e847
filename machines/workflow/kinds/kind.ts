import type { z } from "zod";
import type { StateNode } from "../chart/config.ts";
import type { Branch, Step } from "../definition.ts";
import type { RunEvent } from "../events.ts";
import type { JsonRecord } from "../json.ts";
import type { StepPlan } from "../plan.ts";
import type { StepReader } from "../read/reader.ts";
import type { StepRun } from "../run/step-run.ts";
import type { Fan, Scope } from "../state.ts";
import type { Failure, Json } from "../../failure.ts";

/** A string, or a value with strings, that is read as an expression or a template when the definition is compiled. */
export interface Source {
  /** Where it is, below the step; joined by dots it is also the name under which the kind asks for its value. */
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  readonly as: "expression" | "template";
}

/** A list of steps inside a step. */
export interface InnerList {
  readonly path: readonly (string | number)[];
  readonly steps: readonly Step[];
  /**
   * branch: a region of a parallel state, with variables of its own. lane: a machine of its own, run by counters, with
   * variables of its own. body: states inside the step's state, with the variables around it.
   */
  readonly as: "branch" | "lane" | "body";
  readonly branch?: Branch;
}

/** The events that come back to a step from the effects it named. */
export type Answer = Extract<
  RunEvent,
  { readonly type: "task.completed" | "child.completed" | "timer.fired" | "signal" }
>;

/** Where a step is read, and how to read what is inside it. */
export interface ReadPlace {
  readonly reader: StepReader;
  readonly path: readonly (string | number)[];
  readonly id: string;
}

/** What the scope of a branch or an item starts with. */
export interface LaneScope {
  readonly item?: Json;
  readonly index?: number;
  /** What the branches before this one have written. */
  readonly seed?: NonNullable<Scope["seed"]>;
}

/** How a kind that has branches or items decides about them. */
export interface FanRule {
  /** After each end: whether the step is done, has failed, or goes on. */
  verdict(run: StepRun, fan: Fan): "wait" | "complete" | "fail";
  /** The next lane to start, while there is one that may; regions of a parallel state are started by the chart. */
  next(run: StepRun, fan: Fan): number | undefined;
  /** What the scope of a lane starts with, or why the lane cannot start. */
  lane(run: StepRun, index: number, fan: Fan): LaneScope | { readonly blocked: Failure };
  /** What a lane gives back: the name of the source, where one is declared. */
  resultSource(index: number): string;
  /** Which of the variables that a lane wrote go on to the scope around it. */
  keeps(run: StepRun, variable: string): boolean;
  /** Ends the step; every lane that counts has ended. */
  finish(run: StepRun, fan: Fan): void;
}

/**
 * One kind of step. The table of kinds is all that the compiler and the interpreter know of kinds: a user's kind is
 * one more entry, made as the built-in ones are.
 */
export interface StepKind {
  /** The value of `type` in definitions. */
  readonly name: string;
  /** One sentence, for the guide and the editor. */
  readonly summary: string;
  /** Fields of this kind besides those that every step has, as authors may write them. */
  readonly shape: { readonly [field: string]: z.ZodType };
  /** Whether the step waits for the world: a cycle of arrows needs one that does. */
  readonly waits: boolean;
  /** Whether `retry` has a meaning: the step starts one attempt that may fail. */
  readonly retries: boolean;
  /**
   * The kind's own fields in their normal form, read from what the author wrote; the shape has been checked. Without
   * it, they are taken as they are. Reading a normal form gives it back.
   */
  read?(raw: JsonRecord, place: ReadPlace): object;
  /** What the step does, in a few words for charts. */
  describe(step: Step): string;
  sources?(step: Step): readonly Source[];
  lists?(step: Step): readonly InnerList[];
  /** Where the step may lead besides `next`. */
  targets?(step: Step): readonly string[];
  /** What the state has beyond the arrows that every step has; `inner` has the states of the inner lists. */
  chart?(plan: StepPlan, inner: readonly StateNode[]): StateNode;
  /** Starts what the step does, or ends it at once. Called once per visit, and once per attempt. */
  begin(run: StepRun): void;
  /** An effect that the step named was answered. Failed tasks and children have been seen to already. */
  receive?(run: StepRun, answer: Answer): void;
  /** The body of the step came to its end. */
  bodyDone?(run: StepRun): void;
  /** For kinds whose lists are branches or lanes. */
  readonly fan?: FanRule;
}

/** Every kind that definitions may use, by name. */
export type KindTable = ReadonlyMap<string, StepKind>;
