import type { Step } from "../definition.ts";
import { compileExpression, noReferences } from "../expression/evaluate.ts";
import { endState, failState } from "../kinds/regions.ts";
import type { StepKind } from "../kinds/kind.ts";
import { isChoices, isComputedTarget } from "./sources.ts";

/** Where a step may lead, read from its definition alone. */

/** Targets that are in the text of a computed `next`. */
function computedTargets(source: string, known: ReadonlySet<string>): string[] {
  const references = noReferences();
  compileExpression(source, references);
  return [...references.strings].filter((text) => known.has(text) || text === endState || text === failState);
}

/** Where `next` may lead; nothing for a kind that leads on by itself. */
export function nextTargets(step: Step, kind: StepKind, known: ReadonlySet<string>): readonly string[] {
  if (kind.targets !== undefined) return [];
  const { next } = step;
  if (next === undefined) return [endState];
  if (isComputedTarget(next)) return computedTargets(next, known);
  if (!isChoices(next)) return [next];
  const open = next.every(({ when }) => when !== undefined) ? [endState] : [];
  return [...new Set([...next.map(({ to }) => to), ...open])];
}

/** Targets of the routes of a step's failures. */
export function errorTargets(step: Step): readonly string[] {
  const targets = (step.onError ?? []).flatMap(({ action, next }) =>
    action === "next" && next !== undefined ? [next] : [],
  );
  return [...new Set(targets)];
}

/** Every target of a step. */
export function allTargets(step: Step, kind: StepKind, known: ReadonlySet<string>): readonly string[] {
  return [...new Set([...nextTargets(step, kind, known), ...(kind.targets?.(step) ?? []), ...errorTargets(step)])];
}
