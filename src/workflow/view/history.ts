import type { Failure, Json } from "../../../machines/failure.ts";
import type { RunEffect, RunFact } from "../../../machines/workflow/effects.ts";
import type { RunRow } from "../../ports/store-rows.ts";
import type { JournalEvent } from "../run/fold.ts";
import { foldJournal, type FoldedFact, type JournalSource } from "./journal-view.ts";
import type { TaskRecord } from "../run/run-input.ts";

/** Longest text of a value inside a sentence. */
const valueCharactersMax = 120;

/** One fact of a journal: as data, and as a person would tell it. */
export interface HistoryEntry {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly type: string;
  /** What happened, and what it led to, in sentences. */
  readonly text: readonly string[];
  /** The event as it was journaled. */
  readonly event: Json;
  /** How a task was done, for the end of one. */
  readonly record?: TaskRecord;
}

/** The whole journal of a run, oldest first. */
export async function readHistory(source: JournalSource, row: RunRow): Promise<readonly HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  await foldJournal(source, row, (fact) => entries.push(entryOf(fact)));
  return entries;
}

function entryOf({ row, event, effects }: FoldedFact): HistoryEntry {
  const { record, ...bare } = event as JournalEvent & { readonly record?: TaskRecord };
  return {
    seq: row.seq,
    at: row.at,
    type: row.type,
    text: [...tellEvent(event, record), ...effects.flatMap((effect) => tellEffect(effect, event.at))],
    event: bare as unknown as Json,
    ...(record === undefined ? {} : { record }),
  };
}

function show(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length <= valueCharactersMax ? text : `${text.slice(0, valueCharactersMax)}… (${text.length} characters)`;
}

function because({ code, message }: Failure): string {
  return `${message} (${code})`;
}

/** Milliseconds as a person says them. */
export function tellDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return ms < 86_400_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${(ms / 86_400_000).toFixed(1)} days`;
}

/** `executionId/path/visit/attempt` without what a person need not see. */
function tellTask(task: string): string {
  const parts = task.split("/");
  const path = parts.slice(1, -2).join("/");
  const attempt = Number(parts.at(-1));
  return attempt > 1 ? `"${path}" (attempt ${attempt})` : `"${path}"`;
}

function tellRecord(record: TaskRecord | undefined): string {
  if (record === undefined) return "";
  const { agent, ranMs, queuedMs } = record;
  const who = agent === undefined ? "" : ` by ${agent}`;
  const took = ranMs === undefined ? "" : ` in ${tellDuration(ranMs)}`;
  const waited = queuedMs === undefined || queuedMs < 1_000 ? "" : `, after waiting ${tellDuration(queuedMs)}`;
  return `${who}${took}${waited}`;
}

function tellEvent(event: JournalEvent, record: TaskRecord | undefined): readonly string[] {
  switch (event.type) {
    case "queued":
      return ["The run waits for its turn: a limit on runs at once is reached."];
    case "start":
      return [`The run starts with input ${show(event.input)}.`];
    case "task.completed":
      return [`The task of ${tellTask(event.taskId)} was done${tellRecord(record)}: ${show(event.output)}.`];
    case "task.failed":
      return [`The task of ${tellTask(event.taskId)} failed${tellRecord(record)}: ${because(event.failure)}.`];
    case "timer.fired":
      return tellTimer(event.timerId);
    case "signal":
      return [`The signal "${event.name}" came: ${show(event.payload)}.`];
    case "child.completed":
      return [`The child run of ${tellTask(event.childId)} completed: ${show(event.output)}.`];
    case "child.failed":
      return [`The child run of ${tellTask(event.childId)} failed: ${because(event.failure)}.`];
    case "pause":
      return ["The run was paused."];
    case "resume":
      return [event.input === undefined ? "The run was resumed." : `The run was resumed with ${show(event.input)}.`];
    case "cancel":
      return [`The run was told to stop${event.reason === undefined ? "" : `: ${event.reason}`}.`];
    case "retry":
      return ["The run was told to go on from where it failed."];
    case "fork":
      return [`Here run ${event.executionId} was forked off.`];
    case "patch":
      return [
        `The variables were patched: ${event.patches.map(({ op, path }) => `${op} ${path.join(".")}`).join(", ")}.`,
      ];
    case "migrated":
      return ["The run moved to another version of its workflow."];
  }
}

function tellTimer(id: string): readonly string[] {
  const at = id.lastIndexOf("#");
  const kind = id.slice(at + 1);
  const step = tellTask(id.slice(0, at));
  const words: { readonly [kind: string]: string } = {
    timeout: `The time of ${step} is over.`,
    retry: `The wait before the next attempt of ${step} is over.`,
    wait: `The wait of ${step} is over.`,
    sla: `${step} is late.`,
    deadline: "The time of the run is over.",
  };
  return [words[kind] ?? `The timer ${kind} fired.`];
}

function tellEffect(effect: RunEffect, at: number): readonly string[] {
  switch (effect.type) {
    case "emit":
      return tellFact(effect.fact, at);
    case "emitEvent":
      return [`The event "${effect.event}" was sent out.`];
    case "refuseSignal":
      return [`It was refused: ${because(effect.failure)}.`];
    case "complete":
      return [`The run completed with ${show(effect.output)}.`];
    case "fail":
      return [`The run failed${effect.path === undefined ? "" : ` at "${effect.path}"`}: ${because(effect.failure)}.`];
    case "cancelled":
      return ["The run was stopped."];
    case "parkCompensation":
      return [`Undoing stopped at ${tellTask(effect.taskId)}: ${because(effect.failure)}. Retry tries it again.`];
    case "startChild":
      return [`A child run of "${effect.workflow}" was started for "${effect.path}".`];
    case "scheduleTask":
    case "cancelTask":
    case "startTimer":
    case "cancelTimer":
    case "cancelChild":
    case "listen":
    case "unlisten":
      return [];
  }
}

function tellFact(fact: RunFact, at: number): readonly string[] {
  switch (fact.type) {
    case "step.started":
      return [`"${fact.name}" (${fact.path}) began${fact.visit > 1 ? ` for the ${fact.visit}th time` : ""}.`];
    case "step.waiting":
      return [tellWaiting(fact, at)];
    case "step.retrying":
      return [`"${fact.name}" is tried again: attempt ${fact.attempt}.`];
    case "step.completed":
      return [`"${fact.name}" completed${fact.choice === undefined ? "" : ` and leads to "${fact.choice}"`}.`];
    case "step.failed":
      return [`"${fact.name}" failed after ${fact.attempts} attempts: ${because(fact.failure)}.`];
    case "step.skipped":
      return [`"${fact.name}" was skipped: its condition is false.`];
    case "step.cancelled":
      return [`"${fact.name}" was cancelled.`];
    case "step.late":
      return [`"${fact.name}" is late.`];
    case "execution.late":
      return ["The run is late."];
    case "execution.degraded":
      return [`The run goes on without "${fact.path}": ${because(fact.failure)}.`];
    case "execution.rolledBack":
      return [`The run went back from "${fact.path}" to "${fact.to}".`];
    case "compensation.started":
      return [`${fact.steps} completed steps are undone, the newest first.`];
    case "compensation.completed":
      return [`"${fact.path}" was undone.`];
  }
}

function tellWaiting(fact: RunFact & { readonly type: "step.waiting" }, at: number): string {
  const how = fact.until === undefined ? "" : ` for ${tellDuration(fact.until - at)}`;
  if (fact.on === "event") return `"${fact.name}" waits for an event.`;
  return fact.on === "retry" ? `"${fact.name}" waits${how} before it is tried again.` : `"${fact.name}" waits${how}.`;
}
