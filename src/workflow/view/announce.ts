import type { Json, Outcome } from "../../../machines/failure.ts";
import type { RunEffect, RunFact } from "../../../machines/workflow/effects.ts";
import type { Observe } from "../../ports/observe.ts";
import type { RunRow } from "../../ports/store-rows.ts";
import type { JournalEvent } from "../run/fold.ts";
import type { FoldedStep } from "../run/resident-run.ts";

/** Longest JSON text of an output that is published with the end of its run; a longer one is read from the run. */
const shownCharactersMax = 2_048;

type Data = { readonly [key: string]: Json };

/** Events of the law that people who follow a run hear of, by the names of the user's document 003. */
const eventNames: { readonly [Type in JournalEvent["type"]]?: string } = {
  queued: "execution.queued",
  start: "execution.started",
  pause: "execution.paused",
  resume: "execution.resumed",
  retry: "execution.retried",
  fork: "execution.forked",
  patch: "execution.patched",
  migrated: "execution.migrated",
  signal: "execution.signalled",
};

/** Tells the stream what became durable of one run. The caller asks first whether anybody listens. */
export class Announcer {
  readonly #observe: Observe;

  constructor(observe: Observe) {
    this.#observe = observe;
  }

  get heard(): boolean {
    return this.#observe.heard;
  }

  publish(row: RunRow, type: string, about: { readonly at: number; readonly data?: Data }): void {
    const { id, workflow, version, parent, namespace } = row;
    const data = { workflow, version, namespace, ...(parent === null ? {} : { parent }), ...about.data };
    this.#observe.publish({ type, at: about.at, runId: id, data });
  }

  step(row: RunRow, { event, effects }: FoldedStep): void {
    const { at } = event;
    const name = eventNames[event.type];
    if (name !== undefined) this.publish(row, name, { at, data: dataOf(event) });
    if (event.type === "task.completed") this.publish(row, "task.completed", { at, data: { task: event.taskId } });
    if (event.type === "task.failed") {
      const { code, message } = event.failure;
      this.publish(row, "task.failed", { at, data: { task: event.taskId, code, message } });
    }
    for (const effect of effects) this.#effect(row, effect, at);
  }

  #effect(row: RunRow, effect: RunEffect, at: number): void {
    if (effect.type === "emit") this.publish(row, effect.fact.type, { at, data: factData(effect.fact) });
    else if (effect.type === "scheduleTask") {
      const { taskId: task, path, step, attempt, capability, agent, mode } = effect;
      const target = capability ?? mode ?? agent ?? "";
      this.publish(row, "task.opened", { at, data: { task, path, step, attempt, capability: target } });
    } else if (effect.type === "refuseSignal") {
      const { code, message } = effect.failure;
      this.publish(row, "signal.refused", { at, data: { signal: effect.name, code, message } });
    } else if (effect.type === "listen") this.publish(row, "event.awaited", { at, data: { event: effect.event } });
  }

  ended(row: RunRow, outcome: Outcome<Json>): void {
    const at = row.updatedAt;
    const durationMs = at - row.createdAt;
    if (outcome.ok) {
      const isShort = JSON.stringify(outcome.value).length <= shownCharactersMax;
      this.publish(row, "execution.completed", {
        at,
        data: { durationMs, ...(isShort ? { output: outcome.value } : {}) },
      });
      return;
    }
    const { code, message } = outcome.failure;
    const type = row.status === "compensation-failed" ? "execution.compensationFailed" : `execution.${row.status}`;
    this.publish(row, type, { at, data: { durationMs, code, message } });
  }
}

function dataOf(event: JournalEvent): Data {
  if (event.type === "signal") return { signal: event.name };
  if (event.type === "migrated") return { from: event.from, to: event.to };
  return event.type === "patch" ? { changes: event.patches.length } : {};
}

/** A fact's own fields; a failure is told by code and message. */
function factData(fact: RunFact): Data {
  const { type: _type, ...rest } = fact;
  if (!("failure" in rest)) return rest;
  const { failure, ...others } = rest;
  return { ...others, code: failure.code, message: failure.message };
}
