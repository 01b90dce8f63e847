import type { RunEffect } from "../../../machines/workflow/effects.ts";
import type { TaskRow } from "../../ports/store-rows.ts";
import type { Draft } from "./draft.ts";

/** What a run has open: its tasks and child runs, and the timers and waits that are set, by id. */
export class OpenWork {
  readonly tasks = new Map<string, TaskRow>();
  readonly timers = new Set<string>();
  readonly waits = new Set<string>();

  /** Follows one effect; `draft` has its row already. */
  follow(effect: RunEffect, draft: Draft): void {
    if (effect.type === "scheduleTask") this.#open(effect.taskId, draft);
    else if (effect.type === "startChild" || effect.type === "cancelChild") this.#open(effect.childId, draft);
    else if (effect.type === "cancelTask") this.tasks.delete(effect.taskId);
    else if (effect.type === "startTimer") this.timers.add(effect.timerId);
    else if (effect.type === "cancelTimer") this.timers.delete(effect.timerId);
    else if (effect.type === "listen") this.waits.add(effect.listenId);
    else if (effect.type === "unlisten") this.waits.delete(effect.listenId);
  }

  /** A child that was to be started in this very turn and is cancelled in it has no row. */
  #open(id: string, draft: Draft): void {
    const row = draft.opened.get(id);
    if (row === undefined) this.tasks.delete(id);
    else this.tasks.set(id, row);
  }
}
