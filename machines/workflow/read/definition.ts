import type { Json } from "../../failure.ts";
import type { Definition, ErrorHandler, Schedule, Trigger } from "../definition.ts";
import type { Authored, Settings } from "../dialect/dialect.ts";
import { dialects } from "../dialect/table.ts";
import { asText, isJsonRecord, type JsonRecord } from "../json.ts";
import type { KindTable } from "../kinds/kind.ts";
import { builtinKinds } from "../kinds/table.ts";
import { slugOf } from "../schema/values.ts";
import { copyAuthored } from "./authored.ts";
import { checkDefinition, type Known } from "./check.ts";
import { pickSound } from "./pick.ts";
import { type Problem, Problems } from "./problem.ts";
import { type Path, StepReader } from "./reader.ts";
import { definitionSchema } from "./shapes.ts";
import { checkSchema, type Defaults, readRetry } from "./step-fields.ts";

export interface ReadOptions {
  /** The key to define it under, whatever the document says. */
  readonly key?: string;
  /** The key where neither that nor the document says one; a file's name without its ending, say. */
  readonly fallbackKey?: string;
  readonly kinds?: KindTable;
  /** What is there at run time already; anything else that is named is a warning. */
  readonly known?: Known;
}

export interface Reading {
  /** Empty where there is an error. */
  readonly definitions: readonly Definition[];
  readonly problems: readonly Problem[];
  readonly settings: Settings;
}

/**
 * Reads what an author wrote, in any of the forms that are known, into definitions in their normal form.
 * Shape: every problem at once, each with its path and the fix; definitions only where there is no error.
 * It evaluates nothing and never throws for any value.
 */
export function readDefinition(value: unknown, options: ReadOptions = {}): Reading {
  const problems = new Problems();
  const copied = copyAuthored(value, problems);
  if (!isJsonRecord(copied)) {
    if (!problems.hasErrors)
      problems.error("definition/not-a-definition", [], "is no definition: it must be an object with a name and steps");
    return { definitions: [], problems: problems.list, settings: {} };
  }
  const dialect = dialects.find((entry) => entry.matches(copied));
  if (dialect === undefined) {
    const forms = "`steps`, `states`, `phases`, `branches`, `triggers` or `workflow_templates`";
    problems.error(
      "definition/not-a-definition",
      [],
      `has none of ${forms}; a definition needs \`steps\`, a list with at least one step`,
    );
    return { definitions: [], problems: problems.list, settings: {} };
  }
  const origins = new Map<unknown, Path>();
  const { definitions: authored, settings = {} } = dialect.read(copied, { problems, origins });
  const definitions = authored.flatMap((one) => readOne(one, { problems, origins, options }));
  return { definitions: problems.hasErrors ? [] : definitions, problems: problems.list, settings };
}

interface ReadingOne {
  readonly problems: Problems;
  readonly origins: ReadonlyMap<unknown, Path>;
  readonly options: ReadOptions;
}

function readOne({ document, path }: Authored, { problems, origins, options }: ReadingOne): Definition[] {
  const parsed = definitionSchema.safeParse(document);
  if (!parsed.success) problems.addIssues(parsed.error.issues, path, Object.keys(definitionSchema.shape));
  const kinds = options.kinds ?? builtinKinds;
  const first = new StepReader({ problems, kinds, defaults: {}, origins });
  const defaults = readDefaults(document["defaults"], first, [...path, "defaults"]);
  const reader = new StepReader({ problems, kinds, defaults, origins });
  const steps = reader.steps(document["steps"], [...path, "steps"]);
  if (Array.isArray(document["steps"]) && document["steps"].length === 0)
    problems.error("definition/no-steps", [...path, "steps"], "has no steps; give it at least one");
  const place = { reader, path };
  const sound = parsed.success ? document : pickSound(document, parsed.error.issues);
  const definition: Definition = {
    ...readHead(sound, options),
    ...readSchemas(sound, place),
    ...readRules(sound, place),
    steps,
  };
  // A broken handler, or a misspelt list of them, may be what leads to a step.
  if (!parsed.success) reader.damaged.add(steps);
  const { known } = options;
  checkDefinition(definition, { problems, kinds, reader, path, ...(known === undefined ? {} : { known }) });
  return [definition];
}

interface Place {
  readonly reader: StepReader;
  readonly path: Path;
}

function readDefaults(value: Json | undefined, reader: StepReader, path: Path): Defaults {
  if (!isJsonRecord(value)) return {};
  const retry = readRetry(value["retry"], { reader, path: [...path, "retry"] });
  const timeout = reader.duration(value["timeout"], [...path, "timeout"]);
  return { ...(retry === undefined ? {} : { retry }), ...(timeout === undefined ? {} : { timeout }) };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

type Head = Pick<
  Definition,
  "key" | "name" | "version" | "description" | "tags" | "env" | "variables" | "result" | "priority" | "concurrency"
>;

function readHead(document: JsonRecord, { key: given, fallbackKey }: ReadOptions): Head {
  const id = textOf(document["key"]) ?? textOf(document["id"]);
  const name = textOf(document["name"]) ?? id;
  const key = given ?? id ?? fallbackKey ?? (name === undefined ? "workflow" : slugOf(name));
  const optional = ["description", "tags", "env", "variables", "result", "priority", "concurrency"] as const;
  const fields = Object.fromEntries(
    optional.flatMap((field) => (document[field] === undefined ? [] : [[field, document[field]]])),
  );
  return { key, name: name ?? key, version: textOf(document["version"]) ?? "1", ...fields };
}

/** Words that make an object a JSON Schema rather than a mapping of names to values. */
const schemaWords = [
  "type",
  "properties",
  "$ref",
  "anyOf",
  "oneOf",
  "allOf",
  "enum",
  "const",
  "$schema",
  "required",
  "items",
  "additionalProperties",
];

function isSchema(value: Json): boolean {
  if (typeof value === "boolean") return true;
  if (!isJsonRecord(value)) return false;
  const { type } = value;
  const names = ["object", "array", "string", "number", "integer", "boolean", "null"];
  if (typeof type === "string") return names.includes(type);
  return Object.keys(value).length === 0 || schemaWords.some((word) => Object.hasOwn(value, word));
}

/** `output` is a JSON Schema, or the mapping that gives the output; which one, its words tell. */
function readSchemas(document: JsonRecord, { reader, path }: Place): Pick<Definition, "input" | "output" | "result"> {
  const { input, output } = document;
  const { problems } = reader;
  if (input !== undefined && !isSchema(input))
    problems.error(
      "definition/bad-schema",
      [...path, "input"],
      'is no JSON Schema; write { type: "object", properties: { … } }, or leave it out',
    );
  else checkSchema(input, { reader, path: [...path, "input"] });
  const fields = input === undefined ? {} : { input: input as NonNullable<Definition["input"]> };
  if (output === undefined) return fields;
  if (isSchema(output)) {
    checkSchema(output, { reader, path: [...path, "output"] });
    return { ...fields, output: output as NonNullable<Definition["output"]> };
  }
  if (document["result"] !== undefined)
    problems.error(
      "definition/wrong-value",
      [...path, "output"],
      "is a mapping, and `result` is there too; keep one of them (`result`), and a JSON Schema in `output`",
    );
  return { ...fields, result: output };
}

function codesOf(value: Json | undefined): readonly string[] {
  return value === undefined ? ["*"] : Array.isArray(value) ? (value as readonly string[]) : [asText(value)];
}

function readHandlers(value: Json | undefined, { reader, path }: Place): readonly ErrorHandler[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return (value as readonly JsonRecord[]).map((raw, at) => {
    const retry = readRetry(raw["retry"], { reader, path: [...path, "errorHandlers", at, "retry"] });
    if (retry !== undefined)
      reader.problems.warn(
        "definition/assumed",
        [...path, "errorHandlers", at, "retry"],
        "assumed that it retries the handler, not the failed step; give steps a retry of their own",
      );
    return { error: codesOf(raw["error"]), handler: asText(raw["handler"]), ...(retry === undefined ? {} : { retry }) };
  });
}

function readTriggers(value: Json | undefined, { reader, path }: Place): readonly Trigger[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return (value as readonly JsonRecord[]).map((raw, at) => {
    const { event, match, condition, handler } = raw;
    const always = condition === undefined || condition === "always";
    if (!always && match !== undefined)
      reader.problems.error(
        "definition/wrong-value",
        [...path, "triggers", at, "condition"],
        "`match` is there too; keep one of them",
      );
    const when = match ?? (always ? undefined : condition);
    return {
      event: asText(event),
      ...(typeof when === "string" ? { match: when } : {}),
      ...(typeof handler === "string" ? { handler } : {}),
    };
  });
}

function readSchedules(value: Json | undefined, { reader, path }: Place): readonly Schedule[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return (value as readonly JsonRecord[]).map((raw, at) => {
    const place = [...path, "schedules", at];
    const { cron, timeZone, input } = raw;
    const everyMs = reader.duration(raw["every"] ?? raw["everyMs"], [
      ...place,
      raw["every"] === undefined ? "everyMs" : "every",
    ]);
    if ((cron === undefined) === (everyMs === undefined))
      reader.problems.error("definition/wrong-value", place, "needs either `cron` or `every`, and not both");
    return {
      ...(typeof cron === "string" ? { cron } : {}),
      ...(everyMs === undefined ? {} : { everyMs }),
      ...(typeof timeZone === "string" ? { timeZone } : {}),
      ...(input === undefined ? {} : { input }),
    };
  });
}

function readRate(value: Json | undefined, { reader, path }: Place): Definition["rate"] {
  if (!isJsonRecord(value)) return undefined;
  const perMs = reader.duration(value["per"] ?? value["perMs"] ?? 1_000, [...path, "rate", "per"]);
  return { runs: Number(value["runs"]), perMs: perMs ?? 1_000 };
}

function readRules(document: JsonRecord, place: Place): Partial<Definition> {
  const { reader, path } = place;
  const rules = {
    timeoutMs: reader.duration(document["timeoutMs"], [...path, "timeoutMs"]),
    slaMs: reader.duration(document["slaMs"], [...path, "slaMs"]),
    rate: readRate(document["rate"], place),
    errorHandlers: readHandlers(document["errorHandlers"], place),
    triggers: readTriggers(document["triggers"], place),
    schedules: readSchedules(document["schedules"], place),
  };
  return Object.fromEntries(Object.entries(rules).filter(([, rule]) => rule !== undefined));
}
