import { failure, type Failure, type Json } from "../../../machines/failure.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import type { StoredRun } from "../../ports/store.ts";
import type { FactRow } from "../../ports/store-rows.ts";
import { fingerprint } from "./fingerprint.ts";
import { eventOf, Fold, type JournalEvent } from "./fold.ts";
import type { LargeValues } from "./large-values.ts";

/** A run as its journal tells it. */
export interface LoadedRun {
  readonly fold: Fold;
  readonly seq: number;
  readonly snapshot?: { readonly seq: number; readonly characters: number };
}

export type Loading =
  | { readonly ok: true; readonly run: LoadedRun }
  | { readonly ok: false; readonly failure: Failure };

/** Gives the compiled definition of a hash; rejects where the store does not have it. */
export type WorkflowOf = (hash: string) => Promise<CompiledWorkflow>;

/** A fact with its event, decoded. */
export interface ReadFact {
  readonly row: FactRow;
  readonly event: JournalEvent;
}

/** Decodes the bodies of facts. */
export async function readEvents(large: LargeValues, facts: readonly FactRow[]): Promise<readonly ReadFact[]> {
  const read: ReadFact[] = [];
  for (const row of facts) {
    const body = large.isPlain(row.body) ? (JSON.parse(row.body) as Json) : await large.decode(row.body);
    read.push({ row, event: eventOf(body) });
  }
  return read;
}

/** Every definition that migrations in these facts lead to. */
export async function workflowsOf(
  facts: readonly ReadFact[],
  workflowOf: WorkflowOf,
): Promise<(hash: string) => CompiledWorkflow> {
  const known = new Map<string, CompiledWorkflow>();
  for (const { event } of facts) if (event.type === "migrated") known.set(event.to, await workflowOf(event.to));
  return (hash) => known.get(hash) as CompiledWorkflow;
}

/**
 * Brings a run back to the state after its newest fact: from its snapshot, or from its first fact, folding what
 * follows. Each fold must produce what it produced when the fact was written; if it does not, the law or the compiler
 * has changed its mind, and the run is blocked rather than guessed.
 */
export async function loadRun(stored: StoredRun, large: LargeValues, workflowOf: WorkflowOf): Promise<Loading> {
  const { run, snapshot } = stored;
  const facts = await readEvents(large, stored.facts);
  const migration = facts.find(({ event }) => event.type === "migrated")?.event;
  const first = migration?.type === "migrated" ? migration.from : run.definition;
  const state = snapshot === undefined ? undefined : ((await large.decode(snapshot.body)) as unknown as RunState);
  const fold = new Fold(await workflowOf(first), state);
  const later = await workflowsOf(facts, workflowOf);
  for (const { row, event } of facts) {
    const mark = fingerprint(fold.take(event, later) ?? []);
    if (mark !== row.mark) return { ok: false, failure: diverged(row) };
  }
  const seq = facts.at(-1)?.row.seq ?? snapshot?.seq ?? 0;
  return {
    ok: true,
    run: {
      fold,
      seq,
      ...(snapshot === undefined ? {} : { snapshot: { seq: snapshot.seq, characters: snapshot.body.length } }),
    },
  };
}

function diverged({ run, seq, type }: FactRow): Failure {
  const message = `run ${run} is blocked: its fact ${seq} (${type}) leads elsewhere now than when it was written`;
  return failure("workflow/blocked", message, { seq });
}
