import type { Json } from "../../failure.ts";
import type { Definition, NextChoice, Step } from "../definition.ts";
import type { References } from "../expression/evaluate.ts";
import { compileExpression } from "../expression/evaluate.ts";
import { type CompiledTemplate, compileTemplate } from "../expression/template.ts";
import type { Source, StepKind } from "../kinds/kind.ts";

/** Which strings of a definition are expressions and templates, and their compiling. */

export function isComputedTarget(next: unknown): next is string {
  return typeof next === "string" && (/^\$[.[]/.test(next) || next.startsWith("`"));
}

export function isChoices(next: Step["next"]): next is readonly NextChoice[] {
  return Array.isArray(next);
}

function expression(path: readonly (string | number)[], value: unknown): Source[] {
  return value === undefined ? [] : [{ path, value, as: "expression" }];
}

function template(path: readonly (string | number)[], value: unknown): Source[] {
  return value === undefined ? [] : [{ path, value, as: "template" }];
}

/** What a step of a kind that is not known is given, where it says so by the usual field. */
function inputOf(step: Step): Source[] {
  return template(["input"], (step as Step & { readonly input?: unknown }).input);
}

/** The sources of one step: those that every step has, and those of its kind where that is known. */
export function sourcesOf(step: Step, kind: StepKind | undefined): readonly Source[] {
  const { condition, output, next, onError, compensate } = step;
  return [
    ...expression(["condition"], condition),
    ...Object.entries(output ?? {}).flatMap(([name, value]) => template(["output", name], value)),
    ...(isComputedTarget(next) ? expression(["next"], next) : []),
    ...(isChoices(next) ? next.flatMap(({ when }, at) => expression(["next", at, "when"], when)) : []),
    ...(onError ?? []).flatMap((route, at) => [
      ...expression(["onError", at, "when"], route.when),
      ...template(["onError", at, "result"], route.result),
      ...template(["onError", at, "fallback", "input"], route.fallback?.input),
    ]),
    ...template(["compensate", "input"], compensate?.input),
    ...(kind === undefined ? inputOf(step) : (kind.sources?.(step) ?? [])),
  ];
}

/** The sources of the definition itself. */
export function definitionSources(definition: Definition): readonly Source[] {
  return [...template(["result"], definition.result), ...template(["variables"], definition.variables)];
}

export function compileSource(source: Source, references: References): CompiledTemplate {
  if (source.as === "template") return compileTemplate(source.value as Json, references);
  const compute = compileExpression(String(source.value), references);
  return { evaluate: (root) => compute(root) as Json | undefined };
}

/** Compiled sources by their path joined by dots. */
export function compileSources(
  sources: readonly Source[],
  references: References,
): ReadonlyMap<string, CompiledTemplate> {
  return new Map(sources.map((source) => [source.path.join("."), compileSource(source, references)]));
}
