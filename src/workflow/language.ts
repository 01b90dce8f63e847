import { compile } from "../../machines/workflow/compile/compile.ts";
import type { CompiledWorkflow } from "../../machines/workflow/compiled.ts";
import type { Definition } from "../../machines/workflow/definition.ts";
import type { KindTable, StepKind } from "../../machines/workflow/kinds/kind.ts";
import { builtinKinds, createKinds } from "../../machines/workflow/kinds/table.ts";
import { readDefinition, type Reading } from "../../machines/workflow/read/definition.ts";
import { writePath, type Problem } from "../../machines/workflow/read/problem.ts";
import type { TaskTarget } from "../../machines/workflow/effects.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { TroupeError } from "../errors.ts";
import { resolveTarget, shellFieldsOf } from "./desk/task-target.ts";
import { tellProblems } from "./load/told-problems.ts";

/** One thing that is wrong with a definition, or that was assumed. */
export interface DefinitionProblem {
  readonly code: string;
  /** As `steps[2].input.files`. */
  readonly path: string;
  readonly message: string;
}

/** What a definition was found to be, without registering or running it. */
export interface Validation {
  readonly ok: boolean;
  readonly errors: readonly DefinitionProblem[];
  readonly warnings: readonly DefinitionProblem[];
}

function tell({ code, path, message }: Problem): DefinitionProblem {
  return { code, path: writePath(path), message };
}

/** The language of definitions, over the capabilities and agents that there are. */
export class Language {
  readonly #dispatcher: Dispatcher;
  readonly #kinds: KindTable;

  /** Errors: throws `usage/invalid-options` for a kind whose name is taken. */
  constructor(dispatcher: Dispatcher, kinds: readonly StepKind[] = []) {
    this.#dispatcher = dispatcher;
    try {
      this.#kinds = kinds.length === 0 ? builtinKinds : createKinds(kinds);
    } catch (error) {
      throw new TroupeError("usage/invalid-options", `workflows.kinds: ${(error as Error).message}`);
    }
  }

  /** Everything that there is to say about what an author wrote. `fallbackKey` is for a document that names no key. */
  read(
    authored: unknown,
    given: {
      readonly key?: string;
      readonly fallbackKey?: string;
      readonly hasWorkflow?: (key: string) => boolean;
    } = {},
  ): Reading {
    const { registry } = this.#dispatcher;
    const { hasWorkflow, ...keys } = given;
    return readDefinition(authored, {
      ...keys,
      kinds: this.#kinds,
      known: {
        hasCapability: (name) => registry.offers(name).length > 0,
        hasAgent: (name) => registry.behaviourNamed(name) !== undefined,
        ...(hasWorkflow === undefined ? {} : { hasWorkflow }),
      },
    });
  }

  validate(authored: unknown, hasWorkflow: (key: string) => boolean): Validation {
    const { problems } = this.read(authored, { hasWorkflow });
    const errors = problems.filter(({ severity }) => severity === "error").map(tell);
    const warnings = problems.filter(({ severity }) => severity === "warning").map(tell);
    return { ok: errors.length === 0, errors, warnings };
  }

  /**
   * The normal forms of what an author wrote: mostly one, several where a document holds several.
   * Errors: throws `usage/invalid-definition` with everything that is wrong.
   */
  normalize(authored: unknown, key?: string): readonly Definition[] {
    const { definitions, problems } = this.read(authored, key === undefined ? {} : { key });
    const errors = problems.filter(({ severity }) => severity === "error").map(tell);
    if (errors.length === 0) return definitions;
    const told = tellProblems(errors.map(({ path, message }) => `${path === "" ? "it" : path}: ${message}`));
    throw new TroupeError("usage/invalid-definition", `the workflow cannot be used:${told}`, {
      data: { problems: errors.map((error) => ({ ...error })) },
    });
  }

  compile(definition: Definition): CompiledWorkflow {
    return compile(definition, { kinds: this.#kinds, shellFields: (target) => this.#shellFields(target) });
  }

  /** The fields that the agents whom the task is for have declared as shell text. */
  #shellFields(target: TaskTarget): readonly string[] {
    const { registry } = this.#dispatcher;
    const resolved = resolveTarget(registry, target);
    return resolved.ok ? shellFieldsOf(registry, resolved.destination.capability) : [];
  }
}
