import type { Json } from "../../../machines/failure.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import { TroupeError } from "../../errors.ts";
import type { RunRow } from "../../ports/store-rows.ts";
import { Draft } from "../run/draft.ts";
import type { Engine } from "../engine.ts";
import { fingerprint } from "../run/fingerprint.ts";
import { Fold, type JournalEvent } from "../run/fold.ts";
import { foldJournal, type FoldedFact, type JournalSource } from "../view/journal-view.ts";

/** Whether a step began, or waits to begin, with this fact. */
function begins({ effects }: FoldedFact, step: string): boolean {
  return effects.some(
    (effect) =>
      effect.type === "emit" &&
      effect.fact.type === "step.started" &&
      (effect.fact.step === step || effect.fact.path === step),
  );
}

/**
 * Makes a new run that has lived through the journal of another one up to the moment at which a step first began.
 * What is open then is begun again under the new run's own ids; the old run is not touched.
 */
export async function forkRun(engine: Engine, source: JournalSource, row: RunRow, step: string): Promise<string> {
  const facts: FoldedFact[] = [];
  const last = await foldJournal(source, row, (fact) => facts.push(fact));
  const at = facts.findIndex((fact) => begins(fact, step));
  if (at === -1) {
    const began = [...new Set(facts.flatMap(({ effects }) => effects.flatMap(startedStep)))];
    throw new TroupeError(
      "usage/bad-argument",
      `step "${step}" never began in run ${row.id}; these did: ${began.join(", ") || "none"}`,
    );
  }
  const prefix = facts.slice(0, at + 1);
  const migrations = prefix.flatMap(({ event }) => (event.type === "migrated" ? [event.to] : []));
  const firstMigration = facts.find(({ event }) => event.type === "migrated")?.event;
  const definition = migrations.at(-1) ?? (firstMigration?.type === "migrated" ? firstMigration.from : row.definition);
  const workflow = migrations.length === 0 ? await source.workflowOf(definition) : last.workflow;
  const id = await commitFork(engine, {
    row,
    prefix,
    definition,
    version: workflow.definition.version,
    fold: new Fold(workflow, prefix.at(-1)?.state),
  });
  await engine.residents.load(id);
  return id;
}

function startedStep(effect: FoldedFact["effects"][number]): readonly string[] {
  return effect.type === "emit" && effect.fact.type === "step.started" ? [effect.fact.path] : [];
}

interface ForkPlan {
  readonly row: RunRow;
  readonly prefix: readonly FoldedFact[];
  readonly definition: string;
  readonly version: string;
  readonly fold: Fold;
}

async function commitFork(engine: Engine, { row, prefix, definition, version, fold }: ForkPlan): Promise<string> {
  const now = Math.floor(engine.clock.now());
  const id = engine.newId(now);
  const { namespace, variant, lane } = row;
  const draft = new Draft({ id, namespace, variant, lane }, engine.large, (capability) => engine.isOutside(capability));
  for (const { row: fact, event } of prefix) {
    const body = event as unknown as Json;
    const { seq, at, type, mark } = fact;
    // A message was taken by the old run; the new one may be sent it again.
    draft.fact({ seq, at, type, message: null, mark }, body, JSON.stringify(body));
  }
  const at = Math.max(now, prefix.at(-1)?.event.at ?? now);
  const event: JournalEvent = { type: "fork", at, executionId: id };
  const effects = fold.take(event) ?? [];
  const seq = (prefix.at(-1)?.row.seq ?? 0) + 1;
  const text = JSON.stringify(event);
  draft.fact({ seq, at, type: "fork", message: null, mark: fingerprint(effects) }, event as unknown as Json, text);
  for (const effect of effects) draft.apply(effect, at);
  const state = fold.state as RunState;
  const forked: RunRow = {
    ...row,
    id,
    definition,
    version,
    key: null,
    parent: null,
    parentTask: null,
    status: state.context.phase === "paused" ? "paused" : "running",
    deadlineAt: null,
    createdAt: now,
    updatedAt: at,
    endedAt: null,
    seq,
    result: null,
  };
  await engine.store.commit({ createRuns: [forked], ...draft.turn() });
  if (engine.isWorking) for (const timer of draft.timersSet.values()) engine.wheel.set(timer);
  return id;
}
