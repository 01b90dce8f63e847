import type { Chart } from "./chart/chart.ts";
import type { MachineConfig } from "./chart/config.ts";
import type { CompileOptions } from "./compiled.ts";
import type { Branch, Definition, Step } from "./definition.ts";
import type { References } from "./expression/evaluate.ts";
import type { CompiledTemplate } from "./expression/template.ts";
import type { InnerList, StepKind } from "./kinds/kind.ts";
import type { SchemaCheck } from "./schema-check.ts";

/** One list of steps and what its end means. */
export interface ListPlan {
  readonly as: "root" | InnerList["as"];
  /** The step that has this list, and which of its lists this is. */
  readonly owner: StepPlan | undefined;
  readonly index: number;
  readonly branch: Branch | undefined;
  /** State names from the root of its chart, joined by `/`; "" at the root. */
  readonly prefix: string;
  /** The same for the scope that its steps write to. */
  readonly scope: string;
  readonly steps: readonly StepPlan[];
}

/** One step, with everything about it that can be worked out before a run. */
export interface StepPlan {
  readonly id: string;
  readonly step: Step;
  readonly kind: StepKind;
  readonly list: ListPlan;
  /** State names from the root of its chart, joined by `/`. */
  readonly path: string;
  readonly scope: string;
  readonly lists: readonly ListPlan[];
  /** Compiled sources, by their path below the step joined by dots. */
  readonly sources: ReadonlyMap<string, CompiledTemplate>;
  /** Those of them that compute what the step writes, by the name of the variable. */
  readonly outputs: readonly (readonly [variable: string, CompiledTemplate])[];
  readonly check: SchemaCheck | undefined;
  /** What a payload must fit, for steps that wait for an event with a form. */
  readonly form: SchemaCheck | undefined;
  /** Where `next` may lead; one entry where it always leads there. */
  readonly targets: readonly string[];
  /** May be visited more than once in one run, so its visits are counted. */
  readonly revisits: boolean;
  /** Some expression asks for `$.steps.<id>`. */
  readonly recorded: boolean;
  /** Steps that remain after it on the longest way to the end of its list, itself included. */
  readonly remaining: number;
}

/** One chart: of the run, or of the lanes of one step. */
export interface FramePlan {
  readonly config: MachineConfig;
  readonly chart: Chart;
  readonly list: ListPlan;
}

export interface Plan {
  readonly definition: Definition;
  readonly options: CompileOptions;
  readonly root: FramePlan;
  readonly steps: ReadonlyMap<string, StepPlan>;
  /** Frames of lanes, by the id of the step and the index of its list. */
  readonly frames: ReadonlyMap<string, FramePlan>;
  /** Sources of the definition itself: `result`, `variables`. */
  readonly sources: ReadonlyMap<string, CompiledTemplate>;
  readonly checkInput: SchemaCheck | undefined;
  readonly checkOutput: SchemaCheck | undefined;
  readonly references: References;
}

export function frameKey(step: string, index: number): string {
  return `${step}/${index}`;
}
