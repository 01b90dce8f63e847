import type { Json, Outcome } from "../../../machines/failure.ts";
import { isTroupeError, TroupeError } from "../../errors.ts";
import type { Ids } from "../../ports/chance.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import type { RequestRow } from "../../ports/store-rows.ts";

/** How long a process waits for the answer of the one that owns the store. */
const answerTimeoutMs = 10_000;
/** How often it looks for the answer. */
const answerPollMs = 50;
/** Requests that are answered at once. */
const pageRequestsMax = 100;

/** What another process may wish for. */
export const requestVerbs = ["pause", "resume", "stop", "signal", "retry", "fork", "patch", "migrate"] as const;
export type RequestVerb = (typeof requestVerbs)[number];

/** What became of a wish. */
type Answer =
  | { readonly ok: true; readonly outcome: Outcome<Json> }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Carries out a wish as if it had been made here. */
export type PerformRequest = (run: string, verb: RequestVerb, body: Json) => Promise<Outcome<Json>>;

/** Answers the wishes that other processes leave in the store. */
export class RequestDesk {
  readonly #store: Store;
  readonly #perform: PerformRequest;
  readonly #report: (problem: unknown) => void;
  #busy = false;
  #again = false;

  constructor(store: Store, perform: PerformRequest, report: (problem: unknown) => void) {
    this.#store = store;
    this.#perform = perform;
    this.#report = report;
    store.onForeignWrite(() => void this.#answerAll());
  }

  async open(): Promise<void> {
    await this.#answerAll();
  }

  async #answerAll(): Promise<void> {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#again) {
        this.#again = false;
        const requests = await this.#store.listRequests(pageRequestsMax);
        for (const request of requests) await this.#answer(request);
        if (requests.length === pageRequestsMax) this.#again = true;
      }
    } catch (problem) {
      this.#report(problem);
    } finally {
      this.#busy = false;
    }
  }

  async #answer({ id, run, verb, body }: RequestRow): Promise<void> {
    const answer = await this.#carryOut(run, verb, body);
    await this.#store.commit({ answerRequests: [{ id, answer: JSON.stringify(answer) }] });
  }

  async #carryOut(run: string, verb: string, body: string): Promise<Answer> {
    try {
      return { ok: true, outcome: await this.#perform(run, verb as RequestVerb, JSON.parse(body) as Json) };
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      return { ok: false, code: isTroupeError(thrown) ? thrown.code : "store/failed", message };
    }
  }
}

/**
 * Leaves a wish for the process that owns the store, and waits for its answer.
 * Errors: throws what the operation itself would throw, and `store/in-use` when no answer comes.
 */
export async function requestOperation(
  store: Store,
  ports: { readonly clock: Clock; readonly ids: Ids },
  request: { readonly run: string; readonly verb: RequestVerb; readonly body: Json },
): Promise<Outcome<Json>> {
  const { run, verb, body } = request;
  const id = `${Math.floor(ports.clock.now()).toString(36)}-${ports.ids.hex(6)}`;
  const row: RequestRow = { id, at: ports.clock.now(), run, verb, body: JSON.stringify(body), answer: null };
  await store.commit({ putRequests: [row] });
  const until = ports.clock.now() + answerTimeoutMs;
  while (ports.clock.now() < until) {
    const found = await store.readRequest(id);
    if (found !== undefined && found.answer !== null) {
      await store.commit({ dropRequests: [id] });
      return read(JSON.parse(found.answer) as Answer);
    }
    await new Promise<void>((resolve) => ports.clock.after(answerPollMs, resolve));
  }
  await store.commit({ dropRequests: [id] });
  throw new TroupeError(
    "store/in-use",
    `the process that owns the store gave no answer within ${answerTimeoutMs / 1_000} s; is it stopped or busy?`,
  );
}

function read(answer: Answer): Outcome<Json> {
  if (answer.ok) return answer.outcome;
  throw new TroupeError(answer.code as never, answer.message);
}
