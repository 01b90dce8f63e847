import { Worker } from "node:worker_threads";
import { TroupeError } from "../../errors.ts";
import type { TurnResult } from "../../ports/store.ts";
import type { Word } from "./ops.ts";
import { packTurn } from "./pack.ts";
import type { FromWorker, Parcel, Problem, Question, Reply, Request, ToWorker, WorkerOptions } from "./protocol.ts";

/** Requests that may wait for the worker; beyond it a caller is told `store/failed`, since the disk does not keep up. */
export const requestsWaitingMax = 100_000;
/** Requests sent to the worker at once: the turns among them share one commit. */
const parcelRequestsMax = 2_048;

interface Waiting {
  readonly request: Request;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface Opened {
  readonly isOwner: boolean;
  readonly holder: { pid: number; since: number } | undefined;
}

function errorOf({ code, message, data }: Problem): TroupeError {
  return new TroupeError(code, message, { data });
}

/**
 * Carries requests to the store's worker thread. While one parcel is under way, further requests gather for the next:
 * so the busier the store, the more turns share a commit.
 */
export class Courier {
  readonly #worker: Worker;
  readonly #path: string;
  #queue: Waiting[] = [];
  #sent: Waiting[] = [];
  #scheduled = false;
  #broken: TroupeError | undefined;
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;
  onForeignWrite: (() => void) | undefined;

  private constructor(worker: Worker, path: string) {
    this.#worker = worker;
    this.#path = path;
  }

  /** Starts the worker on a file. Errors: rejects with `store/*` when the file cannot be used. */
  static async open(options: WorkerOptions): Promise<{ readonly courier: Courier; readonly opened: Opened }> {
    // The file next to this one: source runs as .ts, the built package as .js.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
    const worker = new Worker(new URL(`./worker${extension}`, import.meta.url), {
      workerData: options,
      name: "troupe-store",
      // The flags of this process are for its own thread: test runners and debuggers set some that workers refuse.
      execArgv: [],
      stdout: false,
      stderr: false,
    });
    const courier = new Courier(worker, options.path);
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.on("message", (message: FromWorker) => {
        if ("opened" in message) resolve(message.opened);
        else if ("unopened" in message) reject(errorOf(message.unopened));
        else courier.#hear(message);
      });
      worker.on("error", (error: Error) => reject(courier.#break(`its thread broke: ${error.message}`)));
      worker.on("exit", () => courier.#ended());
    }).catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    });
    worker.unref();
    return { courier, opened };
  }

  request(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closing !== undefined || this.#broken !== undefined) return reject(this.#broken ?? this.#refusal());
      if (this.#queue.length >= requestsWaitingMax)
        return reject(
          errorOf({
            code: "store/failed",
            message: `${requestsWaitingMax} writes wait for the store ${this.#path} already; the disk does not keep up`,
            data: { path: this.#path },
          }),
        );
      this.#queue.push({ request, resolve, reject });
      this.#schedule();
    });
  }

  #refusal(): TroupeError {
    return new TroupeError("usage/closed", `the store ${this.#path} is closed`, { data: { path: this.#path } });
  }

  /** Sends at the end of this turn of the event loop, so that all who write in it share the commit. */
  #schedule(): void {
    if (this.#scheduled || this.#sent.length > 0) return;
    this.#scheduled = true;
    this.#worker.ref();
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#broken !== undefined) return;
    if (this.#queue.length === 0) {
      if (this.#closing === undefined) this.#worker.unref();
      else this.#post({ close: true });
      return;
    }
    this.#sent = this.#queue.length <= parcelRequestsMax ? this.#queue : this.#queue.slice(0, parcelRequestsMax);
    this.#queue = this.#queue.slice(this.#sent.length);
    this.#post({ parcel: packParcel(this.#sent) });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if ("foreignWrite" in message) return this.onForeignWrite?.();
    if ("closed" in message) return this.#closed?.();
    if (!("replies" in message)) return;
    const { replies } = message;
    const sent = this.#sent;
    this.#sent = [];
    // The next parcel leaves first: the worker is never idle while callers take their answers.
    if (this.#queue.length > 0 || this.#closing !== undefined) this.#send();
    else this.#worker.unref();
    for (const [index, waiting] of sent.entries()) settle(waiting, replies[index]);
  }

  #break(why: string): TroupeError {
    const broken = (this.#broken ??= errorOf({
      code: "store/failed",
      message: `the store ${this.#path} failed: ${why}`,
      data: { path: this.#path },
    }));
    for (const { reject } of [...this.#sent, ...this.#queue]) reject(broken);
    this.#sent = [];
    this.#queue = [];
    return broken;
  }

  #ended(): void {
    if (this.#closing === undefined) this.#break("its thread ended");
    this.#closed?.();
  }

  /** Writes what waits, closes the file, and ends the worker. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#broken === undefined) {
      this.#worker.ref();
      await new Promise<void>((resolve) => {
        this.#closed = resolve;
        if (this.#sent.length === 0 && !this.#scheduled) queueMicrotask(() => this.#send());
      });
    }
    await this.#worker.terminate();
  }
}

function packParcel(sent: readonly Waiting[]): Parcel {
  const words: Word[] = [];
  const questions: Question[] = [];
  for (const { request } of sent) {
    if ("turn" in request) packTurn(request.turn, words);
    else {
      words.push(-1);
      questions.push(request);
    }
  }
  return { words, questions };
}

const applied: TurnResult = { ok: true };

function settle(waiting: Waiting, reply: Reply | undefined): void {
  if (reply === true) waiting.resolve(applied);
  else if (reply === undefined)
    waiting.reject(errorOf({ code: "store/failed", message: "the store gave no answer", data: {} }));
  else if ("problem" in reply) waiting.reject(errorOf(reply.problem));
  else waiting.resolve(reply.value);
}
