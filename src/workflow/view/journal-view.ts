import type { RunEffect } from "../../../machines/workflow/effects.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import { TroupeError } from "../../errors.ts";
import { rowsMax, type Store } from "../../ports/store.ts";
import type { FactRow, RunRow } from "../../ports/store-rows.ts";
import { Fold, type JournalEvent } from "../run/fold.ts";
import type { LargeValues } from "../run/large-values.ts";
import { readEvents, workflowsOf, type WorkflowOf } from "../run/run-loader.ts";

/** Where journals are read from. */
export interface JournalSource {
  readonly store: Store;
  readonly large: LargeValues;
  readonly workflowOf: WorkflowOf;
}

/** One fact of a journal, with what it did. */
export interface FoldedFact {
  readonly row: FactRow;
  readonly event: JournalEvent;
  readonly effects: readonly RunEffect[];
  readonly state: RunState | undefined;
}

export async function readRunRow(store: Store, id: string): Promise<RunRow> {
  const row = await store.readRun(id);
  if (row === undefined)
    throw new TroupeError("usage/unknown-run", `there is no run "${id}"; troupe.runs.list() names those there are`);
  return row;
}

/** All facts of a run, oldest first. */
export async function readAllFacts(store: Store, id: string): Promise<readonly FactRow[]> {
  const facts: FactRow[] = [];
  for (;;) {
    const page = await store.readFacts(id, facts.length + 1, rowsMax);
    facts.push(...page);
    if (page.length < rowsMax) return facts;
  }
}

/** The hash of the definition that a run began with, before any migration. */
function firstDefinition(row: RunRow, events: readonly { readonly event: JournalEvent }[]): string {
  for (const { event } of events) if (event.type === "migrated") return event.from;
  return row.definition;
}

/** Folds the whole journal of a run once more and calls `visit` for each fact. */
export async function foldJournal(
  source: JournalSource,
  row: RunRow,
  visit: (fact: FoldedFact) => void,
): Promise<Fold> {
  const { store, large, workflowOf } = source;
  const facts = await readEvents(large, await readAllFacts(store, row.id));
  const fold = new Fold(await workflowOf(firstDefinition(row, facts)));
  const later = await workflowsOf(facts, workflowOf);
  for (const fact of facts) {
    const effects = fold.take(fact.event, later) ?? [];
    visit({ ...fact, effects, state: fold.state });
  }
  return fold;
}
