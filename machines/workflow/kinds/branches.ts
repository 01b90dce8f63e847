import type { Json } from "../../failure.ts";
import type { Branch, Step } from "../definition.ts";
import type { JsonRecord } from "../json.ts";
import { suggestName } from "../nearest.ts";
import { pick } from "../read/pick.ts";
import { idPattern, slugOf } from "../schema/values.ts";
import type { ReadPlace } from "./kind.ts";

/** Reading the lists inside steps. */

/** Most branches of one step. */
export const branchesMax = 1_000;

/** A list that needs at least one step. */
export function readList(
  value: Json | undefined,
  { reader, path }: Pick<ReadPlace, "reader" | "path">,
): readonly Step[] {
  if (!Array.isArray(value) || value.length === 0) {
    reader.problems.error("definition/no-steps", path, "has no steps; give it at least one, or remove it");
    return [];
  }
  return reader.steps(value, path);
}

function branchId(raw: JsonRecord, at: number): string {
  const { id, name } = raw;
  if (typeof id === "string") return id;
  return typeof name === "string" && name !== "" ? slugOf(name).slice(0, 100) : `branch_${at + 1}`;
}

function readBranch(raw: JsonRecord, at: number, place: ReadPlace): Branch {
  const { reader } = place;
  const path = reader.placeOf(raw, [...place.path, "parallel", "branches", at]);
  const id = branchId(raw, at);
  if (!idPattern.test(id))
    reader.problems.error(
      "definition/bad-id",
      [...path, "id"],
      `\`${id.slice(0, 60)}\` cannot be an id; use letters, digits, _ and -, at most 100, beginning with a letter`,
    );
  const name = typeof raw["name"] === "string" ? raw["name"] : id;
  const steps = raw["steps"];
  if (!Array.isArray(steps) || steps.length === 0)
    reader.problems.error(
      "definition/no-steps",
      path,
      `the branch \`${name}\` has no steps; give it at least one, or remove it`,
    );
  return { id, name, ...pick(raw, ["after", "result"]), steps: reader.steps(steps ?? [], [...path, "steps"]) };
}

export function readBranches(raws: readonly JsonRecord[], place: ReadPlace): readonly Branch[] {
  const { reader } = place;
  const path = [...place.path, "parallel", "branches"];
  if (raws.length > branchesMax)
    reader.problems.error(
      "definition/too-large",
      path,
      `${raws.length} branches; one step takes ${branchesMax}: use map for a list of items`,
    );
  const branches = raws.slice(0, branchesMax).map((raw, at) => readBranch(raw, at, place));
  const seen = new Set<string>();
  branches.forEach(({ id }, at) => {
    if (seen.has(id))
      reader.problems.error(
        "definition/duplicate-id",
        [...path, at],
        `there is another branch \`${id}\`; give each branch an id or a name of its own`,
      );
    seen.add(id);
  });
  return branches;
}

/** Branches that come after each other must exist, and must not wait for themselves. */
export function checkAfter(branches: readonly Branch[], place: ReadPlace): void {
  const ids = branches.map(({ id }) => id);
  const path = [...place.path, "parallel", "branches"];
  branches.forEach(({ after }, at) => {
    for (const [index, id] of (after ?? []).entries()) {
      if (ids.includes(id)) continue;
      place.reader.problems.error(
        "definition/unknown-step",
        [...path, at, "after", index],
        `there is no branch \`${id}\`; ${suggestName(id, ids, "among the branches")}`,
      );
    }
  });
  const circle = findCircle(branches);
  if (circle !== undefined)
    place.reader.problems.error(
      "definition/endless-cycle",
      path,
      `the branches ${circle.join(" → ")} wait for each other; one of them must not`,
    );
}

/** Branches that each come after the next, back to the first. Kahn 1962: what is left when no branch is free. */
function findCircle(branches: readonly Branch[]): readonly string[] | undefined {
  const waiting = new Map(
    branches.map(
      ({ id, after }) =>
        [id, new Set((after ?? []).filter((other) => branches.some((branch) => branch.id === other)))] as const,
    ),
  );
  for (let free = freeOf(waiting); free.length > 0; free = freeOf(waiting)) {
    for (const id of free) waiting.delete(id);
    for (const after of waiting.values()) for (const id of free) after.delete(id);
  }
  const left = [...waiting.keys()];
  return left.length === 0 ? undefined : left;
}

function freeOf(waiting: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...waiting].filter(([, after]) => after.size === 0).map(([id]) => id);
}
