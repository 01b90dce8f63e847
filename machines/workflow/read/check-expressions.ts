import { compileSource } from "../compile/sources.ts";
import type { Definition, Step } from "../definition.ts";
import { noReferences, type References } from "../expression/evaluate.ts";
import { SyntaxProblem } from "../expression/syntax.ts";
import { isRecord } from "../json.ts";
import type { Source, StepKind } from "../kinds/kind.ts";
import { suggestName } from "../nearest.ts";
import type { Checking } from "./check.ts";
import { writtenVariables } from "./variables.ts";

/** What is wrong with the expressions of a definition: their syntax, and the names that they read. */

export interface Surroundings {
  /** Inside a map or a loop. */
  readonly item: boolean;
  readonly merge: boolean;
  readonly step?: Step;
  readonly kind?: StepKind;
}

interface PlacedSource {
  readonly source: Source;
  readonly path: readonly (string | number)[];
}

interface Around {
  readonly definition: Definition;
  readonly checking: Checking;
  readonly surroundings: Surroundings;
}

export function checkExpressions(sources: readonly PlacedSource[], around: Around): void {
  for (const placed of sources) checkSource(placed, around);
}

/** The strings of a template, each with its place; what is literal has none. */
function* stringsOf(value: unknown, path: Source["path"]): Generator<Source> {
  if (typeof value === "string") yield { path, value, as: "template" };
  else if (Array.isArray(value)) for (const [at, inner] of value.entries()) yield* stringsOf(inner, [...path, at]);
  else if (isRecord(value) && !(Object.keys(value).length === 1 && "literal" in value))
    for (const [name, inner] of Object.entries(value)) yield* stringsOf(inner, [...path, name]);
}

function checkSource({ source, path }: PlacedSource, around: Around): void {
  const { problems } = around.checking;
  const references = noReferences();
  const parts = source.as === "expression" ? [source] : [...stringsOf(source.value, source.path)];
  for (const part of parts) {
    try {
      compileSource(part, references);
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      const place = [...path, ...part.path.slice(source.path.length)];
      problems.error(
        "definition/bad-expression",
        place,
        `${describeSource(part.value)}is no expression that can be read, at column ${error.column}: ${error.message}`,
      );
    }
  }
  checkReferences(references, { source, path }, around);
}

function describeSource(value: unknown): string {
  return typeof value === "string" ? `${JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value)} ` : "";
}

function checkReferences(references: References, { source, path }: PlacedSource, around: Around): void {
  const { problems, reader } = around.checking;
  const { definition, surroundings } = around;
  for (const id of references.steps) {
    if (id !== "*" && !reader.places.has(id))
      problems.error(
        "definition/unknown-step",
        path,
        `reads $.steps.${id}, and there is no such step; ${suggestName(id, [...reader.places.keys()], "in this definition")}`,
      );
  }
  for (const name of references.env) {
    if (definition.env?.includes(name) !== true)
      problems.error(
        "definition/bad-expression",
        path,
        `reads $.env.${name}, and \`env\` does not name it; add it: env: [${name}]`,
      );
  }
  const written = writtenVariables(definition, around.checking);
  for (const name of references.variables) {
    if (!written.has(name))
      problems.warn(
        "definition/unknown-yet",
        path,
        `reads $.variables.${name}, and no step writes it; ${suggestName(name, [...written], "among the variables")}`,
      );
  }
  const iterates = surroundings.item || surroundings.kind?.name === "loop" || surroundings.kind?.name === "map";
  if ((references.names.has("item") || references.names.has("index")) && !iterates)
    problems.warn(
      "definition/bad-expression",
      path,
      "reads $.item or $.index outside a map or a loop, where there is none",
    );
  if (references.names.has("output") && !hasOutput(source.path))
    problems.warn(
      "definition/bad-expression",
      path,
      "reads $.output, which is the result of a step and is not there yet; read $.steps.<id>.output or a variable",
    );
}

/** Sources that are computed when the step has its result. */
function hasOutput(path: Source["path"]): boolean {
  const [first, second] = path;
  const last = path.at(-1);
  return (
    first === "output" ||
    first === "next" ||
    first === "compensate" ||
    (first === "event" && second === "match") ||
    (last === "result" && path.length > 1)
  );
}
