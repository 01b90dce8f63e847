import type { Definition, Step } from "../definition.ts";
import type { KindTable } from "../kinds/kind.ts";

const known = new WeakMap<Definition, ReadonlySet<string>>();

function collect(steps: readonly Step[], kinds: KindTable, into: Set<string>): void {
  for (const step of steps) {
    for (const variable of Object.keys(step.output ?? {})) into.add(variable);
    for (const list of kinds.get(step.type)?.lists?.(step) ?? []) collect(list.steps, kinds, into);
  }
}

/** Every variable that some step of a definition writes, or that exists from the start. */
export function writtenVariables(
  definition: Definition,
  { kinds }: { readonly kinds: KindTable },
): ReadonlySet<string> {
  const before = known.get(definition);
  if (before !== undefined) return before;
  const variables = new Set(Object.keys(definition.variables ?? {}));
  collect(definition.steps, kinds, variables);
  known.set(definition, variables);
  return variables;
}
