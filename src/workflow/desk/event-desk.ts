import { failure, type Json } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import type { EventRow } from "../../ports/store-rows.ts";
import type { Trigger } from "../../../machines/workflow/definition.ts";
import type { Registered } from "../catalogue.ts";
import type { Engine } from "../engine.ts";
import { evaluateOver } from "../view/query.ts";
import { toJson } from "./task-desk.ts";

/** Events read at once when undelivered ones are taken up after a restart. */
const pageEventsMax = 1_000;
/** Longest name of an event, in characters. */
const eventNameCharactersMax = 256;
/** Longest id of an event, in characters. */
const eventIdCharactersMax = 512;

/** Whose event it is, and what makes it one of a kind. */
export interface EmitOptions {
  /** The same id is taken once in its namespace; without one, every call is an event of its own. */
  readonly id?: string;
  readonly namespace?: string;
  readonly variant?: string;
}

/** What an event has set in motion. */
export interface Emitted {
  readonly id: string;
  /** False when an event of this id was taken before: then nothing happens again. */
  readonly isNew: boolean;
  /** Runs that were waiting for it. */
  readonly woken: readonly string[];
  /** Runs that it started. */
  readonly started: readonly string[];
}

/** Delivers events: each is durable first, then wakes who waits for it and starts what it triggers, once each. */
export class EventDesk {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.onEmitted = (row) => {
      void this.#deliver(row).catch((thrown: unknown) => engine.report(`event ${row.id} was not delivered`, thrown));
    };
  }

  /** Delivers what an earlier process took in and could not deliver. */
  async open(): Promise<void> {
    const engine = this.#engine;
    // One that cannot be delivered stays for the next process, and keeps no other one back.
    const undeliverable = new Set<string>();
    for (;;) {
      const rows = await engine.store.listEvents(pageEventsMax + undeliverable.size);
      const owed = rows.filter(({ namespace, id }) => !undeliverable.has(JSON.stringify([namespace, id])));
      if (owed.length === 0 || engine.isClosing) return;
      for (const row of owed)
        try {
          await this.#deliver(row);
        } catch (thrown) {
          undeliverable.add(JSON.stringify([row.namespace, row.id]));
          engine.report(`event ${row.id} was not delivered`, thrown);
        }
    }
  }

  async emit(event: string, payload: unknown, options: EmitOptions = {}): Promise<Emitted> {
    const { id = this.#engine.core.ports.ids.hex(12), namespace = "default", variant = "" } = options;
    checkName(event, id);
    const json = toJson(payload);
    if (!json.ok) throw new TroupeError("usage/invalid-options", `the payload of ${event}: ${json.failure.message}`);
    const text = JSON.stringify(json.value);
    const at = Math.floor(this.#engine.clock.now());
    const row: EventRow = { id, namespace, variant, event, at, payload: text, delivered: false };
    const result = await this.#engine.store.commit({ createEvents: [row] });
    if (!result.ok) return { id, isNew: false, woken: [], started: [] };
    return { id, isNew: true, ...(await this.#deliver(row)) };
  }

  async #deliver(row: EventRow): Promise<Pick<Emitted, "woken" | "started">> {
    const engine = this.#engine;
    const payload = await engine.large.decode(row.payload);
    if (engine.announcer.heard)
      engine.core.ports.observe.publish({ type: "event.emitted", at: row.at, data: { event: row.event, id: row.id } });
    const woken = await this.#wake(row, payload);
    const started = await this.#start(row, payload);
    await engine.store.commit({ eventsDelivered: [{ namespace: row.namespace, id: row.id }] });
    return { woken, started };
  }

  async #wake(row: EventRow, payload: Json): Promise<readonly string[]> {
    const { namespace, event, id } = row;
    const waits = await this.#engine.store.listWaits({ namespace, event });
    const runs = [...new Set(waits.map(({ run }) => run))];
    const verdicts = await Promise.all(
      runs.map((run) =>
        this.#engine.ask(run, { event: { type: "signal", name: event, payload }, message: `event:${id}` }),
      ),
    );
    return runs.filter((_, index) => verdicts[index]?.taken === true);
  }

  async #start(row: EventRow, payload: Json): Promise<readonly string[]> {
    const { namespace, variant, event, id } = row;
    const engine = this.#engine;
    const started: string[] = [];
    for (const registered of engine.catalogue.newest(namespace)) {
      for (const [index, { handler }] of triggersOf(registered, event, payload).entries()) {
        const target = handler === undefined ? registered : engine.catalogue.find(namespace, handler);
        if (target === undefined) {
          const { key } = registered.definition;
          const failed = failure("workflow/unknown-definition", `the trigger of "${key}" names "${handler ?? ""}"`);
          engine.report(`event ${event}`, failed.message);
          continue;
        }
        const run = await engine.start(
          target,
          { event, payload },
          {
            namespace,
            variant,
            lane: 1,
            key: `event:${id}:${registered.definition.key}:${index}`,
          },
        );
        if (run.isNew) started.push(run.id);
      }
    }
    return started;
  }
}

/** The triggers of a definition that fit an event. An expression that has no value for this payload does not fit. */
function triggersOf({ definition }: Registered, event: string, payload: Json): readonly Trigger[] {
  const fitting = (definition.triggers ?? []).filter((trigger) => trigger.event === event);
  return fitting.filter(({ match }) => match === undefined || isMatch(match, payload));
}

function isMatch(match: string, payload: Json): boolean {
  try {
    return Boolean(evaluateOver(match, { output: payload }));
  } catch {
    return false;
  }
}

function checkName(event: string, id: string): void {
  const refuse = (what: string): never => {
    throw new TroupeError("usage/invalid-options", what);
  };
  if (typeof event !== "string" || event.length === 0 || event.length > eventNameCharactersMax)
    refuse(`the name of an event must have 1 to ${eventNameCharactersMax} characters`);
  if (id.length === 0 || id.length > eventIdCharactersMax)
    refuse(`the id of an event must have 1 to ${eventIdCharactersMax} characters`);
}
