import { describe, expect, test } from "vitest";
import { RunQueue, turnsPerActorMax, turnsPerBreathMax, type Runnable } from "../../src/system/run-queue.ts";

/** Has so many units of work; writes down each turn that it is given. */
class Worker implements Runnable {
  readonly #queue: RunQueue;
  readonly #name: string;
  readonly #turns: string[];
  left: number;

  constructor(queue: RunQueue, name: string, given: { left: number; turns: string[] }) {
    this.#queue = queue;
    this.#name = name;
    this.#turns = given.turns;
    this.left = given.left;
    queue.push(this);
  }

  runSome(turns: number): void {
    const done = Math.min(turns, this.left);
    this.#turns.push(`${this.#name} ${done}`);
    this.left -= done;
    this.#queue.spend(done);
    if (this.left > 0) this.#queue.push(this);
  }
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the run queue", () => {
  test("gives each actor a bounded turn, in turn", async () => {
    const queue = new RunQueue();
    const turns: string[] = [];
    for (const name of ["a", "b"]) void new Worker(queue, name, { left: turnsPerActorMax + 1, turns });
    expect(turns).toEqual([]);
    await Promise.resolve();
    expect(turns).toEqual([`a ${turnsPerActorMax}`, `b ${turnsPerActorMax}`, "a 1", "b 1"]);
  });

  test("lets timers and sockets be served after a bounded number of turns, breath after breath", async () => {
    const queue = new RunQueue();
    const worker = new Worker(queue, "a", { left: 4 * turnsPerBreathMax, turns: [] });
    const done: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await breath();
      done.push(4 * turnsPerBreathMax - worker.left);
    }
    for (const [index, each] of done.entries())
      expect(each - (done[index - 1] ?? 0)).toBeLessThanOrEqual(2 * turnsPerBreathMax);
    expect(done.at(-1)).toBe(4 * turnsPerBreathMax);
  });

  test("a fault of one actor is seen, and holds up nobody else", async () => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const faults: unknown[] = [];
    process.on("uncaughtException", (fault) => faults.push(fault));
    try {
      const queue = new RunQueue();
      const turns: string[] = [];
      queue.push({
        runSome() {
          throw new Error("our own fault");
        },
      });
      void new Worker(queue, "a", { left: 3, turns });
      await breath();
      void new Worker(queue, "b", { left: 3, turns });
      await breath();
      expect(turns).toEqual(["a 3", "b 3"]);
      expect(faults).toMatchObject([{ message: "our own fault" }]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });
});
