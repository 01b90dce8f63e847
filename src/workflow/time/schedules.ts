import { Cron } from "croner";
import type { Schedule } from "../../../machines/workflow/definition.ts";
import { TroupeError } from "../../errors.ts";
import type { ScheduleRow } from "../../ports/store-rows.ts";
import type { Registered, Shelf } from "../catalogue.ts";
import { DueHeap, type Due } from "./due-heap.ts";
import type { Engine } from "../engine.ts";

/** The shortest interval of a schedule: what is due more often is a loop, not a schedule. */
export const scheduleMsMin = 1_000;

interface Entry extends Due {
  readonly row: ScheduleRow;
}

/**
 * The first moment after `after` at which a schedule is due; undefined when it never is again. Intervals count from
 * `since`, so that being late once does not move them.
 */
export function nextDue(spec: Omit<Schedule, "input">, after: number, since: number = after): number | undefined {
  if (spec.everyMs !== undefined) return since + spec.everyMs * (Math.floor((after - since) / spec.everyMs) + 1);
  if (spec.cron === undefined) return undefined;
  const cron = new Cron(spec.cron, {
    paused: true,
    ...(spec.timeZone === undefined ? {} : { timezone: spec.timeZone }),
  });
  return cron.nextRun(new Date(after))?.getTime();
}

/** Throws for a schedule that cannot be kept. */
export function checkSchedule(spec: Omit<Schedule, "input">): void {
  const refuse = (what: string): never => {
    throw new TroupeError("usage/invalid-definition", what);
  };
  if ((spec.cron === undefined) === (spec.everyMs === undefined)) refuse("a schedule has either cron or everyMs");
  if (spec.everyMs !== undefined && !(spec.everyMs >= scheduleMsMin))
    refuse(`a schedule's everyMs is ${spec.everyMs}; it must be at least ${scheduleMsMin}`);
  if (spec.cron === undefined) return;
  try {
    nextDue(spec, 0);
  } catch (thrown) {
    refuse(
      `a schedule's cron line "${spec.cron}" is wrong: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
}

/**
 * Starts definitions again and again. When each is due next is durable, and the start carries a key made of schedule
 * and time: a crash in between starts it once. What was missed while nobody worked is made up for by one run.
 */
export class Schedules {
  readonly #engine: Engine;
  readonly #rows = new Map<string, ScheduleRow>();
  readonly #heap = new DueHeap<Entry>();
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async open(): Promise<void> {
    for (const row of await this.#engine.store.listSchedules()) this.#keep(row);
    this.#arm();
  }

  list(): readonly ScheduleRow[] {
    return [...this.#rows.values()];
  }

  /** Takes over the schedules that a definition declares; those it declares no more end. */
  async declare({ definition }: Registered, shelf: Shelf): Promise<void> {
    const prefix = `${shelf.namespace}/${definition.key}#`;
    const declared = definition.schedules ?? [];
    const gone = [...this.#rows.keys()].filter(
      (id) => id.startsWith(prefix) && Number(id.slice(prefix.length)) >= declared.length,
    );
    if (declared.length === 0 && gone.length === 0) return;
    const rows = declared.flatMap((schedule, index) =>
      this.#rowOf(`${prefix}${index}`, schedule, definition.key, shelf),
    );
    await this.#engine.store.commit({ putSchedules: rows, dropSchedules: gone });
    for (const id of gone) this.#rows.delete(id);
    for (const row of rows) this.#keep(row);
    this.#arm();
  }

  /** The row of a declared schedule; one that has not changed keeps its time. */
  #rowOf(id: string, schedule: Schedule, workflow: string, shelf: Shelf): readonly ScheduleRow[] {
    checkSchedule(schedule);
    const { input, ...spec } = schedule;
    const text = JSON.stringify(spec);
    const known = this.#rows.get(id);
    const nextAt =
      known !== undefined && known.spec === text ? known.nextAt : nextDue(spec, Math.floor(this.#engine.clock.now()));
    if (nextAt === undefined) return [];
    return [{ id, ...shelf, workflow, spec: text, input: JSON.stringify(input ?? {}), nextAt }];
  }

  #keep(row: ScheduleRow): void {
    this.#rows.set(row.id, row);
    this.#heap.push({ row, dueAt: row.nextAt });
  }

  #arm(): void {
    const first = this.#heap.first;
    if (!this.#engine.isWorking || first === undefined || first.dueAt >= this.#wakeAt) return;
    this.#wakeAt = first.dueAt;
    this.#engine.core.timers.after(Math.max(0, first.dueAt - this.#engine.clock.now()), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  #ring(): void {
    const now = this.#engine.clock.now();
    for (let first = this.#heap.first; first !== undefined && first.dueAt <= now; first = this.#heap.first) {
      this.#heap.pop();
      if (this.#rows.get(first.row.id) !== first.row) continue;
      this.#begin(first.row).catch((thrown: unknown) =>
        this.#engine.report(`schedule ${first.row.id} could not start ${first.row.workflow}`, thrown),
      );
    }
    this.#arm();
  }

  async #begin(row: ScheduleRow): Promise<void> {
    const engine = this.#engine;
    const { id, namespace, variant, workflow, nextAt } = row;
    const registered = engine.catalogue.find(namespace, workflow);
    if (registered === undefined) throw new Error(`no workflow is defined as "${workflow}"`);
    const input = await engine.large.decode(row.input);
    await engine.start(registered, input, { namespace, variant, lane: 1, key: `schedule:${id}:${nextAt}` });
    const next = nextDue(JSON.parse(row.spec) as Schedule, Math.max(nextAt, Math.floor(engine.clock.now())), nextAt);
    if (next === undefined) {
      this.#rows.delete(id);
      await engine.store.commit({ dropSchedules: [id] });
      return;
    }
    const later = { ...row, nextAt: next };
    await engine.store.commit({ putSchedules: [later] });
    if (this.#rows.get(id) === row) this.#keep(later);
    this.#arm();
  }
}
