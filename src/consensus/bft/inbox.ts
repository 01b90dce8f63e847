/** Messages of one sender that wait at a replica; more are dropped, and the protocol says them again. */
export const waitingPerSenderMax = 1_024;
/** Messages that a replica works through before timers, sockets and other replicas get their turn. */
const messagesPerTurnMax = 32;

interface Worker<Arrival> {
  /** Gives a promise only where the next message has to wait for it. */
  handle(arrival: Arrival): Promise<void> | void;
  fail(error: unknown): void;
}

/** One queue, one worker: arrivals are handled one after the other, and no sender can crowd out the others. */
export class Inbox<Arrival> {
  readonly #worker: Worker<Arrival>;
  readonly #waitingOf: number[];
  #queue: { readonly from: number; readonly arrival: Arrival }[] = [];
  #isBusy = false;
  #isStopped = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(senders: number, worker: Worker<Arrival>) {
    this.#worker = worker;
    this.#waitingOf = Array.from({ length: senders }, () => 0);
  }

  /** Takes a message of a sender; false where too many of it wait already. */
  accept(from: number, arrival: Arrival): boolean {
    const waiting = this.#waitingOf[from];
    if (waiting === undefined || waiting >= waitingPerSenderMax || this.#isStopped) return false;
    this.#waitingOf[from] = waiting + 1;
    this.#add(from, arrival);
    return true;
  }

  /** Takes what the replica tells itself. */
  put(arrival: Arrival): void {
    if (!this.#isStopped) this.#add(-1, arrival);
  }

  get isIdle(): boolean {
    return !this.#isBusy;
  }

  async idle(): Promise<void> {
    if (!this.#isBusy) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue = [];
  }

  #add(from: number, arrival: Arrival): void {
    this.#queue.push({ from, arrival });
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const turn = this.#queue.splice(0, messagesPerTurnMax);
        for (const { from, arrival } of turn) {
          if (this.#isStopped) return;
          if (from >= 0) this.#waitingOf[from] = (this.#waitingOf[from] ?? 1) - 1;
          const wait = this.#worker.handle(arrival);
          if (wait !== undefined) await wait;
        }
        if (this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#isStopped = true;
      this.#worker.fail(error);
    } finally {
      this.#isBusy = false;
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }
}
