import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import type { RunEffect } from "../../../machines/workflow/effects.ts";
import type { RunRow } from "../../ports/store-rows.ts";
import { nameEffect } from "../run/fingerprint.ts";
import { Fold, type JournalEvent } from "../run/fold.ts";
import { foldJournal, type FoldedFact, type JournalSource } from "./journal-view.ts";
import { statusOf } from "../run/resident-run.ts";

/** Divergences of one run that are told; further ones mostly follow from the first. */
const divergencesMax = 10;

/** Where a stored history would have gone another way under a changed definition. */
export interface Divergence {
  /** The fact at which it differs. */
  readonly seq: number;
  readonly type: string;
  readonly message: string;
}

/** What a replay of stored histories found. */
export interface ReplayReport {
  readonly runId: string;
  readonly workflow: string;
  /** The version that the run is on. */
  readonly version: string;
  readonly status: string;
  readonly facts: number;
  readonly divergences: readonly Divergence[];
}

/** What a fold wants done, by name; what is only told does not count. */
function wishes(effects: readonly RunEffect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.type === "emit" ? [] : [`${effect.type} ${nameEffect(effect)}`.trim()]));
}

function differ(before: readonly string[], after: readonly string[]): string | undefined {
  const missing = before.filter((each) => !after.includes(each));
  const added = after.filter((each) => !before.includes(each));
  if (missing.length === 0 && added.length === 0) return undefined;
  const parts = [
    ...(missing.length === 0 ? [] : [`it would not ${missing.join(", ")}`]),
    ...(added.length === 0 ? [] : [`it would ${added.join(", ")}`]),
  ];
  return parts.join("; ");
}

/**
 * Folds the stored history of a run over another definition and compares, fact by fact, what each wants done. A
 * history that does not diverge could go on under that definition; one that does names the first fact where.
 */
export async function replayRun(source: JournalSource, row: RunRow, against: CompiledWorkflow): Promise<ReplayReport> {
  const other = new Fold(against);
  const divergences: Divergence[] = [];
  let facts = 0;
  const note = (seq: number, event: JournalEvent, message: string): void => {
    if (divergences.length < divergencesMax) divergences.push({ seq, type: event.type, message });
  };
  const compare = ({ row: fact, event, effects, state }: FoldedFact): void => {
    facts += 1;
    if (event.type === "migrated") return;
    const wanted = other.take(event);
    if (wanted === undefined && effects.length > 0) return note(fact.seq, event, "nothing would wait for this");
    const difference = differ(wishes(effects), wishes(wanted ?? []));
    if (difference !== undefined) note(fact.seq, event, difference);
    else if (state !== undefined && other.state !== undefined && statusOf(state) !== statusOf(other.state))
      note(fact.seq, event, `the run would be ${statusOf(other.state)} instead of ${statusOf(state)}`);
  };
  await foldJournal(source, row, compare);
  const { id: runId, workflow, version, status } = row;
  return { runId, workflow, version, status, facts, divergences };
}
