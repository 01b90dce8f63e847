/** Counts what handlers really processed; the bench waits for it, so intentions are never counted. */
export class Tally {
  count = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #reached: (() => void) | undefined;

  hit(): void {
    this.count += 1;
    if (this.count === this.#wanted) this.#reached?.();
  }

  /** Starts from zero; resolves at the `wanted`th hit. */
  expect(wanted: number): Promise<void> {
    this.count = 0;
    this.#wanted = wanted;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  check(wanted: number): void {
    if (this.count !== wanted) throw new Error(`lost or duplicated: ${this.count} of ${wanted} messages were handled`);
  }
}
