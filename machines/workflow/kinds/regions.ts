import type { StateNode } from "../chart/config.ts";
import type { StepPlan } from "../plan.ts";
import { branchEnded } from "../run/fan.ts";

/** Whether the inner states wait for the step to say that it goes on: it may be skipped, or end before they start. */
export function startsBySignal(plan: StepPlan): boolean {
  return plan.step.condition !== undefined || plan.kind.name === "loop";
}

/** The state in which the inner states wait for the step. */
export const startState = "$start";
/** The end of a list. */
export const endState = "$end";
/** The definition says that this is a failure. */
export const failState = "$fail";

/** A parallel state with one region for each branch. */
export function regionsOf(plan: StepPlan, inner: readonly StateNode[]): StateNode {
  const regions = plan.lists.map((list, index) => {
    const region = inner[index] ?? {};
    const branch = list.branch?.id ?? String(index);
    const params = { step: plan.id, branch: index };
    const end: StateNode = { ...region.states?.[endState], type: "final", entry: [{ type: "endBranch", params }] };
    const description =
      list.branch === undefined || list.branch.name === branch ? {} : { description: list.branch.name };
    const state: StateNode = {
      ...region,
      ...description,
      entry: [{ type: "openBranch", params }],
      states: { ...region.states, [endState]: end },
      on: {
        ...region.on,
        [branchEnded(plan.id, branch)]: [{ target: `.${endState}`, description: "the branch failed" }],
      },
    };
    return [branch, state] as const;
  });
  return { type: "parallel", states: Object.fromEntries(regions) };
}
