import { TroupeError } from "../../errors.ts";
import type { Emitted, EmitOptions } from "./event-desk.ts";

/** Most event sources of one troupe. */
export const eventSourcesMax = 100;

/** Where a source hands in what it hears. */
export interface EventSink {
  /**
   * Takes one event; resolves once it is durable and delivered, so a source acknowledges after that.
   * `id` is what the source itself calls the event (a delivery id, an offset): the same one is taken once, also over
   * restarts. Ids of different sources do not meet.
   * Errors: rejects with `store/*` when the event could not be kept: then the source is to deliver it again.
   */
  readonly emit: (
    event: string,
    payload: unknown,
    options: { readonly id: string } & Pick<EmitOptions, "namespace" | "variant">,
  ) => Promise<Emitted>;
  /** Aborts when the troupe closes. */
  readonly signal: AbortSignal;
}

/**
 * Brings events from outside: a webhook, a queue, metric alerts. Given to `createTroupe({ workflows: { sources } })`;
 * opened when the runs of the store are back, closed before the store is.
 * @example
 * ```ts
 * import type { EventSource } from "troupe";
 * const ticks: EventSource = {
 *   name: "ticks",
 *   open({ emit }) {
 *     let count = 0;
 *     const timer = setInterval(() => void emit("tick", { count }, { id: String((count += 1)) }), 60_000);
 *     return { [Symbol.asyncDispose]: async () => clearInterval(timer) };
 *   },
 * };
 * ```
 */
export interface EventSource {
  /** Unique in its troupe: it stands in the ids of its events, so it stays the same over restarts. */
  readonly name: string;
  /** Begins to hear. A rejection fails `createTroupe`. */
  open(sink: EventSink): AsyncDisposable | Promise<AsyncDisposable>;
}

type Emit = (event: string, payload: unknown, options: EmitOptions) => Promise<Emitted>;

function checkNames(sources: readonly EventSource[]): void {
  const names = sources.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  const wrong = names.find((name) => !/^[\w.-]{1,60}$/.test(name));
  const refuse = (what: string): never => {
    throw new TroupeError("usage/invalid-options", `workflows.sources: ${what}`);
  };
  if (names.length > eventSourcesMax) refuse(`there are ${names.length}; at most ${eventSourcesMax} are allowed`);
  if (wrong !== undefined)
    refuse(`"${wrong.slice(0, 80)}" cannot be the name of a source; use 1 to 60 letters, digits, _, . and -`);
  if (twice !== undefined) refuse(`two sources are named "${twice}"; give one of them another name`);
}

/** The event sources of one troupe. */
export class EventSources {
  readonly #sources: readonly EventSource[];
  readonly #emit: Emit;
  readonly #end = new AbortController();
  readonly #open: { readonly name: string; readonly handle: AsyncDisposable }[] = [];

  /** Errors: throws `usage/invalid-options` for a name that is wrong or taken. */
  constructor(sources: readonly EventSource[], emit: Emit) {
    checkNames(sources);
    this.#sources = sources;
    this.#emit = emit;
  }

  /** Errors: rejects with `workflow/source-failed` for the first that cannot be opened. */
  async open(): Promise<void> {
    for (const source of this.#sources) {
      const { name } = source;
      try {
        const handle = await source.open({
          signal: this.#end.signal,
          emit: (event, payload, { id, ...rest }) => this.#emit(event, payload, { ...rest, id: `${name}:${id}` }),
        });
        this.#open.push({ name, handle });
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        throw new TroupeError("workflow/source-failed", `the event source "${name}" could not be opened: ${why}`, {
          data: { source: name },
          cause: thrown,
        });
      }
    }
  }

  /** Closes all of them, the last one first; `report` hears of those that fail to. */
  async close(report: (what: string, problem: unknown) => void): Promise<void> {
    this.#end.abort();
    for (const { name, handle } of this.#open.splice(0).toReversed())
      try {
        await handle[Symbol.asyncDispose]();
      } catch (thrown) {
        report(`the event source "${name}" failed to close`, thrown);
      }
  }
}
