import { failure, type Json, type Outcome } from "../../../machines/failure.ts";
import type { RunEffect } from "../../../machines/workflow/effects.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store, Turn, TurnResult } from "../../ports/store.ts";
import type { RunRow, RunStatus, RunUpdate, TaskRow } from "../../ports/store-rows.ts";
import { Draft, type ChildPayload, type RunEnd } from "./draft.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Fold, JournalEvent } from "./fold.ts";
import { OpenWork } from "./open-work.ts";
import type { LargeValues } from "./large-values.ts";
import type { Move, RunInput, Verdict } from "./run-input.ts";

/** Inputs of one run that are folded into one turn; more wait for the next. */
const inputsPerTurnMax = 256;
/** Inputs that may wait at one run; beyond it a signal or an operation is refused, since the store does not keep up. */
export const inputsWaitingMax = 100_000;
/** Facts after which a snapshot is written, once the tail is also as long as the last snapshot: so its cost per fact is bounded. */
const snapshotFactsMin = 64;

/** One event that was folded in a turn, for those who watch. */
export interface FoldedStep {
  readonly event: JournalEvent;
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

/** A turn of a run that is durable now. */
export interface Committed {
  readonly steps: readonly FoldedStep[];
  readonly draft: Draft;
}

/** What a resident run needs of the engine. */
export interface RunHost {
  readonly store: Store;
  readonly clock: Clock;
  readonly large: LargeValues;
  isOutside(capability: string): boolean;
  /** Acts on a durable turn: dispatches, arms timers, tells who watches. */
  committed(run: ResidentRun, committed: Committed): void;
  /** The run cannot go on as it is in memory: it is dropped, and loaded again when it is needed. */
  dropped(run: ResidentRun): void;
  /** These came to a run that is no longer in memory. */
  readmit(id: string, inputs: readonly RunInput[]): void;
  /** The run has ended, and nothing waits for it any more. */
  rested(run: ResidentRun): void;
  /** The law itself broke on an event: the run is blocked. */
  broke(run: ResidentRun, thrown: unknown): void;
}

const stale: Verdict = { taken: false, why: "stale" };
const known: Verdict = { taken: false, why: "known" };
const taken: Verdict = { taken: true };

/**
 * One run in memory: takes inputs in one at a time, folds them, writes the turn, and only then lets the world know.
 * What is shown is always what is durable.
 */
export class ResidentRun {
  readonly id: string;
  row: RunRow;
  /** The state after the newest durable fact. */
  shown: RunState | undefined;
  readonly fold: Fold;
  readonly open = new OpenWork();
  seq: number;
  #lastAt: number;
  #snapshotSeq: number;
  #snapshotCharacters: number;
  #tailCharacters = 0;
  readonly #host: RunHost;
  #queue: RunInput[] = [];
  #busy = false;
  #gone = false;
  /** The row is written with the first turn. */
  #isNew: boolean;
  /** The turn in hand leads to another definition: its row and a snapshot are written with it. */
  #moved = false;

  constructor(
    host: RunHost,
    given: {
      readonly row: RunRow;
      readonly fold: Fold;
      readonly seq: number;
      readonly snapshot?: { readonly seq: number; readonly characters: number };
      readonly isNew?: boolean;
    },
  ) {
    this.#host = host;
    this.id = given.row.id;
    this.row = given.row;
    this.fold = given.fold;
    this.shown = given.fold.state;
    this.seq = given.seq;
    this.#lastAt = Math.max(given.row.updatedAt, given.fold.state?.context.at ?? 0);
    this.#snapshotSeq = given.snapshot?.seq ?? 0;
    this.#snapshotCharacters = given.snapshot?.characters ?? 0;
    this.#isNew = given.isNew ?? false;
  }

  /** Its row has not been written yet, and will not be if its first turn is refused. */
  get isUnwritten(): boolean {
    return this.#isNew;
  }

  /** Nothing waits to be folded or written. */
  get isIdle(): boolean {
    return !this.#busy && this.#queue.length === 0;
  }

  get hasEnded(): boolean {
    return this.row.endedAt !== null;
  }

  push(input: RunInput): void {
    this.pushAll([input]);
  }

  /** Takes several inputs in, in one turn where they fit into one. */
  pushAll(inputs: readonly RunInput[]): void {
    if (this.#gone) return this.#host.readmit(this.id, inputs);
    if (this.#queue.length + inputs.length > inputsWaitingMax) {
      const error = new Error(`run ${this.id} takes nothing more in: too much waits to be written`);
      for (const { reject } of inputs) reject?.(error);
      return;
    }
    this.#queue.push(...inputs);
    if (!this.#busy) this.#turn(inputsPerTurnMax);
  }

  /** What waits moves to the run's next life in memory. */
  leave(): readonly RunInput[] {
    this.#gone = true;
    return this.#queue.splice(0);
  }

  #turn(inputsMax: number): void {
    this.#busy = true;
    const inputs = this.#queue.splice(0, inputsMax);
    const draft = new Draft(this.row, this.#host.large, (capability) => this.#host.isOutside(capability));
    const steps: FoldedStep[] = [];
    const verdicts: Verdict[] = [];
    try {
      for (const input of inputs) verdicts.push(this.#take(input, draft, steps));
    } catch (thrown) {
      for (const { reject } of inputs) reject?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
      this.#host.broke(this, thrown);
      return;
    }
    const turn = this.#close(draft);
    if (turn === undefined) return this.#settle(inputs, verdicts);
    this.#host.store.commit(turn).then(
      (result) => this.#written(result, { inputs, verdicts, steps, draft }),
      (error: unknown) => {
        for (const { reject } of inputs) reject?.(error as Error);
        this.#host.dropped(this);
      },
    );
  }

  #written(
    result: TurnResult,
    turn: { inputs: RunInput[]; verdicts: Verdict[]; steps: readonly FoldedStep[]; draft: Draft },
  ): void {
    const { inputs, verdicts, steps, draft } = turn;
    if (!result.ok) return this.#refused(result, inputs);
    this.#isNew = false;
    this.shown = this.fold.state;
    if (steps.length > 0) this.#host.committed(this, { steps, draft });
    this.#settle(inputs, verdicts);
  }

  #settle(inputs: readonly RunInput[], verdicts: readonly Verdict[]): void {
    for (const [index, { settle }] of inputs.entries()) settle?.(verdicts[index] ?? stale);
    this.#busy = false;
    if (this.#gone) return;
    if (this.#queue.length > 0) this.#turn(inputsPerTurnMax);
    else if (this.row.endedAt !== null) this.#host.rested(this);
  }

  /**
   * Nothing was written, so what is in memory is wrong. A message that was taken before is answered; everything else
   * is taken in again by the run as the store has it.
   */
  #refused(result: TurnResult & { readonly ok: false }, inputs: readonly RunInput[]): void {
    if (this.#isNew && result.refused === "run-exists") {
      for (const { settle } of inputs) settle?.({ taken: false, why: "known" });
      this.#host.dropped(this);
      return;
    }
    const again = inputs.filter((input) => {
      const isKnown = result.refused === "message-known" && input.message === result.subject;
      const isStale =
        result.refused === "stale-task" && "taskId" in input.event && input.event.taskId === result.subject;
      if (isKnown) input.settle?.(known);
      else if (isStale) input.settle?.(stale);
      return !isKnown && !isStale;
    });
    this.#queue.unshift(...again);
    this.#host.dropped(this);
  }

  /** Folds one input into the draft. */
  #take(input: RunInput, draft: Draft, steps: FoldedStep[]): Verdict {
    const { event } = input;
    const task = taskOf(event);
    const row = task === undefined ? undefined : this.open.tasks.get(task);
    if (task !== undefined) {
      if (row === undefined || (input.fence !== undefined && input.fence !== row.fence)) return stale;
      this.open.tasks.delete(task);
      if (isCancelled(row)) return this.#forget(row, draft);
    }
    const timer = event.type === "timer.fired" ? event.timerId : input.timer;
    if (timer !== undefined && !this.open.timers.delete(timer)) return stale;
    const at = Math.max(Math.floor(this.#host.clock.now()), this.#lastAt);
    if (event.type === "move") return this.#move(event, at, { input, draft, steps });
    const stamped = { ...event, at } as JournalEvent;
    const effects = this.fold.take(stamped);
    if (effects === undefined) {
      if (row !== undefined) this.#forget(row, draft);
      if (timer !== undefined) draft.timersDropped.add(timer);
      return stale;
    }
    this.#lastAt = at;
    this.seq += 1;
    if (row !== undefined) draft.closeTask(row.id, row.fence);
    if (timer !== undefined) draft.takeTimer(timer);
    this.#journal(input, stamped, draft, effects);
    for (const effect of effects) {
      draft.apply(effect, at);
      this.open.follow(effect, draft);
    }
    steps.push({ event: stamped, state: this.fold.state as RunState, effects });
    const refused = effects.find((effect) => effect.type === "refuseSignal");
    return refused === undefined ? taken : { taken: false, why: "refused", failure: refused.failure };
  }

  /** Goes over to another definition, where the state fits there too. */
  #move(
    { workflow, hash, check }: Move,
    at: number,
    into: { readonly input: RunInput; readonly draft: Draft; readonly steps: FoldedStep[] },
  ): Verdict {
    const { state } = this.fold;
    if (state === undefined || this.row.endedAt !== null) return stale;
    const problems = check(state);
    if (problems.length > 0)
      return {
        taken: false,
        why: "refused",
        failure: failure("workflow/not-waiting", problems.join("; "), { problems }),
      };
    const event: JournalEvent = { type: "migrated", at, from: this.row.definition, to: hash, state };
    this.fold.take(event, () => workflow);
    this.#lastAt = at;
    this.seq += 1;
    this.#journal(into.input, event, into.draft, []);
    const { version } = workflow.definition;
    this.row = { ...this.row, definition: hash, version, updatedAt: at, seq: this.seq };
    this.#moved = true;
    into.steps.push({ event, state, effects: [] });
    return taken;
  }

  #journal(input: RunInput, event: JournalEvent, draft: Draft, effects: readonly RunEffect[]): void {
    const body = (input.record === undefined ? event : { ...event, record: input.record }) as unknown as Json;
    const text = JSON.stringify(body);
    this.#tailCharacters += text.length;
    draft.fact(
      { seq: this.seq, at: event.at, type: event.type, message: input.message ?? null, mark: fingerprint(effects) },
      body,
      text,
    );
  }

  #forget(row: TaskRow, draft: Draft): Verdict {
    draft.dropped.add(row.id);
    return stale;
  }

  /** The whole turn, or undefined when nothing is to be written. */
  #close(draft: Draft): Turn | undefined {
    if (draft.facts.length === 0 && draft.dropped.size === 0 && draft.timersDropped.size === 0) return undefined;
    const status = this.fold.state === undefined ? "running" : statusOf(this.fold.state);
    const changed = status !== this.row.status || draft.end !== undefined || this.#moved;
    if (changed) this.row = { ...this.row, ...this.#standing(draft, status) };
    this.#watchDeadline(draft);
    this.#snapshot(draft);
    return {
      ...draft.turn(),
      ...(this.#isNew ? { createRuns: [this.row] } : changed ? { updateRuns: [toUpdate(this.row)] } : undefined),
    };
  }

  /** A run that has to be done by a time is ended then; a run that has ended needs no such timer. */
  #watchDeadline(draft: Draft): void {
    const id = deadlineTimer(this.id);
    const { deadlineAt: dueAt } = this.row;
    if (this.#isNew && dueAt !== null) {
      draft.timersSet.set(id, { run: this.id, id, dueAt });
      this.open.timers.add(id);
    }
    if (draft.end !== undefined && this.open.timers.delete(id) && !draft.timersSet.delete(id))
      draft.timersDropped.add(id);
  }

  /** What the row says after a change of status. */
  #standing(draft: Draft, status: RunStatus): Partial<RunRow> {
    const { end } = draft;
    const common = { status, updatedAt: this.#lastAt, seq: this.seq };
    if (end === undefined) return { ...common, endedAt: null, result: null };
    const isParked = end.status === "compensation-failed";
    return { ...common, endedAt: isParked ? null : this.#lastAt, result: draft.text(end as unknown as Json) };
  }

  #snapshot(draft: Draft): void {
    const { state } = this.fold;
    if (state === undefined || draft.end !== undefined) return;
    const isDue = this.seq - this.#snapshotSeq >= snapshotFactsMin && this.#tailCharacters >= this.#snapshotCharacters;
    if (!isDue && !this.#moved) return;
    this.#moved = false;
    const before = draft.values.length;
    const body = draft.text(state as unknown as Json);
    draft.snapshot = { run: this.id, seq: this.seq, body };
    this.#snapshotSeq = this.seq;
    this.#snapshotCharacters = draft.values.slice(before).reduce((sum, value) => sum + value.body.length, body.length);
    this.#tailCharacters = 0;
  }
}

/** The timer of the deadline that a run was started with; a definition's own timeout is the law's. */
export function deadlineTimer(run: string): string {
  return `${run}#until`;
}

/** The task or child that an event ends. */
function taskOf(event: RunInput["event"]): string | undefined {
  if (event.type === "task.completed" || event.type === "task.failed") return event.taskId;
  if (event.type === "child.completed" || event.type === "child.failed") return event.childId;
  return undefined;
}

/** Whether the row only stands for a child that is to be ended. */
export function isCancelled(row: TaskRow): boolean {
  return row.kind === "run" && row.capability === "" && (JSON.parse(row.input) as ChildPayload).cancel !== undefined;
}

export function statusOf(state: RunState): RunStatus {
  const { phase } = state.context;
  return phase === "compensating" ? "running" : phase;
}

/** What a run's row says of its end, as JSON. */
export function outcomeOfEnd(end: RunEnd): Outcome<Json> {
  if (end.status === "completed") return { ok: true, value: end.output };
  if (end.status !== "cancelled") return { ok: false, failure: end.failure };
  const message = end.reason === undefined ? "the run was stopped" : `the run was stopped: ${end.reason}`;
  return { ok: false, failure: { code: "workflow/cancelled", message, retry: "never", data: {} } };
}

export function toUpdate(row: RunRow): RunUpdate {
  const { id, workflow, version, definition, status, deadlineAt, updatedAt, endedAt, seq, result } = row;
  return { id, workflow, version, definition, status, deadlineAt, updatedAt, endedAt, seq, result };
}
