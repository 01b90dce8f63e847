import { failure, type Json, type Outcome } from "../../../machines/failure.ts";
import type { RunRow, TaskRow } from "../../ports/store-rows.ts";
import type { ChildPayload } from "./draft.ts";
import type { Engine } from "../engine.ts";
import { describeThrown } from "../../system/verdicts.ts";

/** How deep runs may start runs; one deeper fails, since it is a cycle of definitions more likely than a plan. */
export const nestedRunsMax = 32;

/** The key under which a child is started: once for its task, whatever happens. It also says how deep the child is. */
function keyOf(depth: number, task: string): string {
  return `child:${depth}:${task}`;
}

function depthOf(row: RunRow): number {
  return row.parent === null ? 0 : Number(row.key?.split(":")[1] ?? 0);
}

/**
 * Child runs stand in their parent's journal as tasks: opened with a row, ended by an event, taken once. So a crash at
 * any moment leaves either the row, and the child is started or asked again, or the end.
 */
export class Children {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Starts the child of an open task, or finds it as an earlier process left it. */
  open(row: TaskRow): void {
    this.#open(row).catch((thrown: unknown) => this.#fail(row, describeThrown(thrown)));
  }

  async #open(row: TaskRow): Promise<void> {
    const engine = this.#engine;
    const payload = (await engine.large.decode(row.input)) as unknown as ChildPayload;
    if (payload.cancel !== undefined) return this.#cancel(row, payload.cancel);
    const parent = engine.rowOf(row.run) ?? (await engine.store.readRun(row.run));
    if (parent === undefined) return;
    const depth = depthOf(parent) + 1;
    if (depth > nestedRunsMax)
      return this.#fail(row, `runs would be nested more than ${nestedRunsMax} deep; does a workflow start itself?`);
    const registered = engine.catalogue.find(row.namespace, payload.workflow, payload.version);
    if (registered === undefined) return this.#unknown(row, payload);
    const started = await engine.start(registered, payload.input, {
      namespace: row.namespace,
      variant: row.variant,
      lane: row.lane,
      key: keyOf(depth, row.id),
      parent: row.run,
      parentTask: row.id,
      ...(payload.about === undefined ? {} : { about: payload.about }),
    });
    if (!started.isNew) await this.#find(started.id);
  }

  /** A child that was started before: its end may not have reached the parent yet. */
  async #find(id: string): Promise<void> {
    const row = await this.#engine.store.readRun(id);
    if (row === undefined) return;
    const outcome = await this.#engine.outcomeOf(row);
    if (outcome === undefined) await this.#engine.residents.load(id);
    else this.ended(row, outcome);
  }

  /** Ends a child that its parent wants no more. */
  async #cancel(row: TaskRow, { compensate }: { readonly compensate: boolean }): Promise<void> {
    const engine = this.#engine;
    const child = await this.#childOf(row);
    if (child === undefined || child.endedAt !== null) return this.#gone(row);
    engine.push(child.id, {
      event: { type: "cancel", compensate, reason: "the run that started it wants it no more" },
      settle: (verdict) => {
        if (!verdict.taken) this.#gone(row);
      },
    });
  }

  async #childOf(row: TaskRow): Promise<RunRow | undefined> {
    const parent = this.#engine.rowOf(row.run) ?? (await this.#engine.store.readRun(row.run));
    if (parent === undefined) return undefined;
    return this.#engine.store.findRun(row.namespace, keyOf(depthOf(parent) + 1, row.id));
  }

  /** Takes the row away that stood for a child to be ended. */
  #gone(row: TaskRow): void {
    this.#fail(row, "the child run has ended");
  }

  #fail(row: TaskRow, message: string): void {
    const failed = failure("workflow/cancelled", message, { child: row.id });
    this.#engine.push(row.run, { event: { type: "child.failed", childId: row.id, failure: failed } });
  }

  #unknown(row: TaskRow, { workflow, version }: ChildPayload): void {
    const name = version === undefined ? workflow : `${workflow}@${version}`;
    const failed = failure("workflow/unknown-definition", `no workflow is defined as "${name}"`, { workflow });
    this.#engine.push(row.run, { event: { type: "child.failed", childId: row.id, failure: failed } });
  }

  /** Tells the parent how its child ended. */
  ended({ parent, parentTask }: RunRow, outcome: Outcome<Json>): void {
    if (parent === null || parentTask === null) return;
    const event = outcome.ok
      ? ({ type: "child.completed", childId: parentTask, output: outcome.value } as const)
      : ({ type: "child.failed", childId: parentTask, failure: outcome.failure } as const);
    this.#engine.push(parent, { event });
  }
}
