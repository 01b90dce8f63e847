import { z } from "zod";
import { failure, type Json } from "../../failure.ts";
import type { MapStep } from "../definition.ts";
import { beginFan, listFailures } from "../run/fan.ts";
import { completeFan, mergeWrites, type Writer } from "../run/merge.ts";
import { readLedger } from "../run/ledger.ts";
import type { StepRun } from "../run/step-run.ts";
import { mergeSchema, readShare, shareSchema, stepsSchema, targetShape, templateSchema } from "../schema/values.ts";
import type { Fan } from "../state.ts";
import { mergeSources } from "./parallel.ts";
import { type JsonRecord } from "../json.ts";
import { pick } from "../read/pick.ts";
import { readList } from "./branches.ts";
import type { FanRule, StepKind } from "./kind.ts";

/** Most items of one map. Source: the specification asks for 10,000 within stated limits. */
export const mapItemsMax = 10_000;
/** Items at once where a map does not say. */
export const mapConcurrencyDefault = 32;

function settings(run: StepRun): MapStep["map"] {
  return (run.plan.step as MapStep).map;
}

function itemsOf(run: StepRun): readonly Json[] {
  const { data } = run.activation;
  return Array.isArray(data) ? (data as readonly Json[]) : [];
}

const fanRule: FanRule = {
  verdict(run, fan) {
    if (fan.failed > readShare(settings(run).tolerate, fan.total, Math.floor)) return "fail";
    return fan.completed + fan.failed === fan.total ? "complete" : "wait";
  },
  next(run, fan) {
    return fan.running < settings(run).concurrency && fan.started < fan.total ? fan.started : undefined;
  },
  lane: (run, index) => ({ item: itemsOf(run)[index] ?? null, index }),
  resultSource: () => "map.result",
  keeps: (run, variable) => Object.hasOwn(settings(run).merge ?? {}, variable),
  finish(run, fan) {
    const ends = Array.from({ length: fan.total }, (_unused, index) => readLedger(fan.ends, String(index)));
    const output = ends.map((end) => (end?.ok === true ? end.result : null));
    completeFan(run, { output, writes: mergeItems(run, fan), failures: listFailures(run, fan) });
  },
};

function mergeItems(run: StepRun, fan: Fan): { readonly [variable: string]: Json } {
  const { merge } = settings(run);
  if (merge === undefined) return {};
  const writers: Writer[] = [];
  for (let index = 0; index < fan.total; index += 1) {
    const end = readLedger(fan.ends, String(index));
    if (end?.ok === true) writers.push({ id: String(index), writes: end.writes, after: new Set() });
  }
  return mergeWrites(run, writers, {
    ruleFor: (variable) => merge[variable] ?? "fail",
    sourceOf: (variable) => `map.merge.${variable}`,
  });
}

export const mapKind: StepKind = {
  name: "map",
  summary: "The same steps for each item of a list, several at a time, with a number of failures that is tolerated.",
  shape: {
    map: z.strictObject({
      over: templateSchema,
      steps: stepsSchema.optional(),
      ...targetShape,
      input: templateSchema.optional(),
      concurrency: z.int().min(1).max(mapItemsMax).optional(),
      tolerate: shareSchema.optional(),
      result: templateSchema.optional(),
      merge: z.record(z.string(), mergeSchema).optional(),
    }),
  },
  read(raw, { reader, path, id }) {
    const map = raw["map"] as JsonRecord;
    const inner = [...path, "map", "steps"];
    const task = pick(map, ["capability", "agent", "mode", "input"]);
    if (
      map["steps"] === undefined &&
      task["capability"] === undefined &&
      task["agent"] === undefined &&
      task["mode"] === undefined
    )
      reader.problems.error(
        "definition/no-steps",
        [...path, "map"],
        "says nothing to do for an item; add steps, or capability, agent or mode",
      );
    const short = [{ id: `${id}_item`, type: "task", input: "$.item", ...task }];
    const steps =
      map["steps"] === undefined
        ? reader.steps(short, [...path, "map"])
        : readList(map["steps"], { reader, path: inner });
    return {
      map: {
        concurrency: mapConcurrencyDefault,
        tolerate: 0,
        ...pick(map, ["over", "concurrency", "tolerate", "result", "merge"]),
        steps,
      },
    };
  },
  waits: false,
  retries: false,
  describe(step) {
    const { over, concurrency } = (step as MapStep).map;
    return `for each of ${typeof over === "string" ? over : "a list"}, ${concurrency} at a time`;
  },
  lists: (step) => [{ path: ["map", "steps"], steps: (step as MapStep).map.steps, as: "lane" }],
  sources(step) {
    const { over, result, merge } = (step as MapStep).map;
    return [
      { path: ["map", "over"], value: over, as: "template" },
      ...(result === undefined ? [] : [{ path: ["map", "result"], value: result, as: "template" as const }]),
      ...mergeSources(merge, ["map", "merge"]),
    ];
  },
  begin(run) {
    const items = run.evaluate("map.over");
    if (!Array.isArray(items)) {
      const got = items === undefined ? "nothing" : JSON.stringify(items).slice(0, 60);
      run.fail(
        failure("workflow/expression", `${run.path}: map.over must be a list, and got ${got}`, { path: run.path }),
      );
    } else if (items.length > mapItemsMax) {
      const message = `${run.path} has ${items.length} items, and one map takes ${mapItemsMax}`;
      run.fail(failure("workflow/too-many-items", message, { items: items.length, max: mapItemsMax }));
    } else {
      run.keep(items as readonly Json[]);
      beginFan(run, items.length);
    }
  },
  fan: fanRule,
};
