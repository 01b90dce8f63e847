import type { StreamEvent } from "../../stream/stream.ts";
import { tellDuration } from "../../workflow/view/history.ts";
import type { ProgressBoard } from "../progress.ts";

function text(event: StreamEvent, field: string): string {
  const value = event.data[field];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

const waits: { readonly [on: string]: string } = {
  event: "waits for an event",
  timer: "waits",
  retry: "waits before the next attempt",
};

/** Shows the steps of a run: one moving line for each that is under way, so branches side by side are seen as such. */
export class RunProgress {
  readonly #board: ProgressBoard;
  readonly #startedAt = new Map<string, number>();

  constructor(board: ProgressBoard) {
    this.#board = board;
  }

  take(event: StreamEvent): void {
    const path = text(event, "path");
    const line = path === "" ? text(event, "workflow") : path;
    const show = (note: string): void => this.#board.show({ name: line, note });
    switch (event.type) {
      case "step.started":
        this.#startedAt.set(line, event.at);
        return show("runs");
      case "step.waiting":
        return show(waits[text(event, "on")] ?? "waits");
      case "step.retrying":
        return show(`attempt ${text(event, "attempt")}`);
      case "step.late":
        return show("is late");
      case "event.awaited":
        return undefined;
      case "step.completed": {
        const choice = text(event, "choice");
        return this.#end(line, event.at, choice === "" ? "done" : `leads to ${choice}`);
      }
      case "step.failed":
        return this.#end(line, event.at, `failed: ${text(event, "message")}`);
      case "step.skipped":
        return this.#end(line, event.at, "skipped: its condition is false");
      case "step.cancelled":
        return this.#end(line, event.at, "cancelled");
      case "execution.degraded":
        return this.#board.say(`${line}: the run goes on without it: ${text(event, "message")}`);
      case "compensation.started":
        return this.#board.say(`${text(event, "steps")} completed steps are undone, the newest first`);
      case "compensation.completed":
        return this.#board.say(`${line}: undone`);
      default:
        return undefined;
    }
  }

  #end(line: string, at: number, what: string): void {
    const began = this.#startedAt.get(line);
    this.#startedAt.delete(line);
    this.#board.drop(line);
    const took = began === undefined || at - began < 1 ? "" : ` (${tellDuration(at - began)})`;
    this.#board.say(`${line}: ${what}${took}`);
  }
}
