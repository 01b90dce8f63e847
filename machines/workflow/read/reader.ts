import { z } from "zod";
import type { Json } from "../../failure.ts";
import type { Step } from "../definition.ts";
import { convertStep } from "../dialect/step-forms.ts";
import { asText, isJsonRecord, isRecord, type JsonRecord } from "../json.ts";
import type { KindTable, StepKind } from "../kinds/kind.ts";
import { suggestName } from "../nearest.ts";
import { idPattern, readDuration } from "../schema/values.ts";
import { describeUnknown, type Problems } from "./problem.ts";
import { pick, pickSound } from "./pick.ts";
import { inferKind, kindAliases, stepSchemaOf, stepShape } from "./shapes.ts";
import { type Defaults, readCommon } from "./step-fields.ts";

export type Path = readonly (string | number)[];

/** Most steps of one definition, those of inner lists included. */
export const definitionStepsMax = 20_000;

/** Stands in for a kind that there is not; no table has it. */
const unknownKind = "";

/** Where the values that a dialect made came from: problems are reported there. */
export type Origins = ReadonlyMap<unknown, Path>;

/** Reads authored steps into their normal form; goes on after a problem, so that all are found at once. */
export class StepReader {
  readonly problems: Problems;
  readonly kinds: KindTable;
  readonly defaults: Defaults;
  /** Where each step was read, by its id. */
  readonly places = new Map<string, Path>();
  /** Lists from which steps without an id were left out: what an arrow in them leads to may be there. */
  readonly incomplete = new WeakSet<readonly Step[]>();
  /** Lists in which something is broken: an arrow may be missing in them. */
  readonly damaged = new WeakSet<readonly Step[]>();
  readonly #origins: Origins;
  readonly #broken = new WeakSet<Step>();
  #count = 0;

  constructor(world: { problems: Problems; kinds: KindTable; defaults: Defaults; origins: Origins }) {
    this.problems = world.problems;
    this.kinds = world.kinds;
    this.defaults = world.defaults;
    this.#origins = world.origins;
  }

  /** Where to report what is wrong with a value. */
  placeOf(value: unknown, path: Path): Path {
    return this.#origins.get(value) ?? path;
  }

  duration(value: unknown, path: Path): number | undefined {
    if (value === undefined) return undefined;
    const ms = readDuration(value);
    if (ms === undefined)
      this.problems.error(
        "definition/wrong-value",
        path,
        'is no duration; write milliseconds, or "30 s", "5 min", "2 h", "30 d"',
      );
    return ms;
  }

  /** One list of steps in its normal form; of a broken step it holds what is sound, under its id. */
  steps(value: unknown, path: Path): readonly Step[] {
    if (!Array.isArray(value)) {
      if (value !== undefined) this.problems.error("definition/wrong-value", path, "must be a list of steps");
      return [];
    }
    const raws = value as readonly Json[];
    const steps = raws.flatMap((raw, at) => this.#step(raw, [...path, at]));
    const ordered = raws.every((raw) => !isRecord(raw) || raw["next"] === undefined);
    const list = (ordered ? inOrder(steps, this.kinds) : steps).map(orderFields);
    if (list.length < raws.length) this.incomplete.add(list);
    if (list.length < raws.length || steps.some((step) => this.#broken.has(step))) this.damaged.add(list);
    return list;
  }

  #step(raw: Json, given: Path): Step[] {
    const path = this.placeOf(raw, given);
    this.#count += 1;
    if (this.#count > definitionStepsMax) {
      if (this.#count === definitionStepsMax + 1)
        this.problems.error(
          "definition/too-large",
          path,
          `more than ${definitionStepsMax} steps; split the definition into sub-workflows`,
        );
      return [];
    }
    if (!isJsonRecord(raw)) {
      this.problems.error(
        "definition/wrong-value",
        path,
        "must be a step: an object with id, type and what the type needs",
      );
      return [];
    }
    const step = convertStep(raw, (wanted) => this.#freshId(wanted));
    const kind = this.#kindOf(step, path);
    return kind === undefined ? this.#remnant(step, path) : this.#read(step, kind, path);
  }

  /** What is left of a step whose kind is not known, or lacks what it needs: others may lead to it and read of it. */
  #remnant(raw: JsonRecord, path: Path): Step[] {
    this.#readInner(raw, path);
    const parsed = z.object(stepShape).safeParse(raw);
    const sound = parsed.success ? raw : pickSound(raw, parsed.error.issues);
    if (typeof sound["id"] !== "string") return [];
    const id = this.#idOf(raw, path);
    const common = readCommon(sound, { reader: this, path });
    const step: Step = { ...common, ...pick(sound, ["input"]), id, name: id, type: unknownKind };
    this.#broken.add(step);
    return [step];
  }

  #freshId(wanted: string): string {
    let id = wanted;
    for (let at = 2; this.places.has(id); at += 1) id = `${wanted}_${at}`;
    return id;
  }

  #kindOf(raw: JsonRecord, path: Path): StepKind | undefined {
    const given = raw["type"];
    const name = given === undefined ? inferKind(raw, this.kinds) : given;
    const kind = typeof name === "string" ? this.kinds.get(kindAliases.get(name) ?? name) : undefined;
    if (kind !== undefined) return kind;
    const known = [...this.kinds.keys()];
    if (typeof given === "string")
      this.problems.error(
        "definition/unknown-kind",
        [...path, "type"],
        `there is no step type \`${given}\`; ${suggestName(given, known, "among the types")}`,
      );
    else
      this.problems.error(
        "definition/missing-field",
        [...path, "type"],
        `\`type\` is missing; it is one of ${known.join(", ")}`,
      );
    return undefined;
  }

  #read(raw: JsonRecord, kind: StepKind, path: Path): Step[] {
    const schema = stepSchemaOf(kind);
    const parsed = schema.safeParse(raw);
    const fields = Object.keys(schema.shape);
    if (parsed.success) return [this.#normal(raw, kind, path)];
    this.problems.addIssues(parsed.error.issues, path, fields);
    this.#explainForeign(raw, kind, path);
    const sound = pickSound(raw, parsed.error.issues);
    if (!schema.safeParse(sound).success) return this.#remnant(raw, path);
    this.#readInner(
      pick(
        raw,
        Object.keys(raw).filter((field) => !(field in sound)),
      ),
      path,
    );
    const step = this.problems.withoutMissing(path, () => this.#normal(sound, kind, path));
    this.#broken.add(step);
    return [step];
  }

  #normal(raw: JsonRecord, kind: StepKind, path: Path): Step {
    const id = this.#idOf(raw, path);
    const common = withDefaults(readCommon(raw, { reader: this, path }), kind, this.defaults);
    const own = kind.read?.(raw, { reader: this, path, id }) ?? pick(raw, Object.keys(kind.shape));
    const name = typeof raw["name"] === "string" && raw["name"] !== "" ? raw["name"] : id;
    return { ...common, ...own, id, name, type: kind.name };
  }

  /** A field that belongs to another kind says that the type is wrong. */
  #explainForeign(raw: JsonRecord, kind: StepKind, path: Path): void {
    for (const other of this.kinds.values()) {
      if (other === kind || !(other.name in raw) || other.name in kind.shape) continue;
      this.problems.error(
        "definition/unknown-field",
        [...path, other.name],
        `\`${other.name}\` is for steps of type ${other.name}, and this one is of type ${kind.name}; ${describeUnknown(other.name, Object.keys(kind.shape))}`,
      );
    }
  }

  /** Looks for problems inside a step that is broken itself. */
  #readInner(raw: JsonRecord, path: Path): void {
    for (const [field, value] of Object.entries(raw)) {
      if (!isRecord(value)) continue;
      if (Array.isArray(value["steps"])) this.steps(value["steps"], [...path, field, "steps"]);
      const branches = value["branches"];
      if (!Array.isArray(branches)) continue;
      (branches as readonly unknown[]).forEach((branch, at) => {
        if (isRecord(branch) && Array.isArray(branch["steps"]))
          this.steps(branch["steps"], [...path, field, "branches", at, "steps"]);
      });
    }
  }

  #idOf(raw: JsonRecord, path: Path): string {
    const id = asText(raw["id"]);
    if (!idPattern.test(id)) {
      this.problems.error(
        "definition/bad-id",
        [...path, "id"],
        `\`${id.slice(0, 60)}\` cannot be an id; use letters, digits, _ and -, at most 100, beginning with a letter`,
      );
      return id;
    }
    const before = this.places.get(id);
    if (before === undefined) this.places.set(id, path);
    else
      this.problems.error(
        "definition/duplicate-id",
        [...path, "id"],
        `there is another step \`${id}\`; ids are unique in a definition, inner lists included`,
      );
    return id;
  }
}

/** What the definition says for all steps goes for those that start one attempt, where they say nothing themselves. */
function withDefaults(common: Partial<Step>, kind: StepKind, { retry, timeout }: Defaults): Partial<Step> {
  if (!kind.retries) return common;
  return { ...(retry === undefined ? {} : { retry }), ...(timeout === undefined ? {} : { timeout }), ...common };
}

/** A list in which no step says where it goes on is in order: each leads to the one after it. */
function inOrder(steps: readonly Step[], kinds: KindTable): readonly Step[] {
  return steps.map((step, at) => {
    const following = steps[at + 1];
    const leadsItself = kinds.get(step.type)?.targets !== undefined;
    return following === undefined || leadsItself ? step : { ...step, next: following.id };
  });
}

/** Fields in the order in which people read them: what, whom, with what, and then where to. */
const fieldOrder = ["id", "name", "type", "description", "condition", "capability", "agent", "mode", "input"];
const fieldsLast = [
  "output",
  "schema",
  "compensate",
  "retry",
  "timeout",
  "sla",
  "onError",
  "checkpoint",
  "tags",
  "next",
];

function orderFields(step: Step): Step {
  const rank = (field: string): number => {
    const [early, late] = [fieldOrder.indexOf(field), fieldsLast.indexOf(field)];
    return early === -1 ? (late === -1 ? fieldOrder.length : fieldOrder.length + 1 + late) : early;
  };
  const fields = Object.entries(step).toSorted(([left], [right]) => rank(left) - rank(right));
  return Object.fromEntries(fields) as unknown as Step;
}
