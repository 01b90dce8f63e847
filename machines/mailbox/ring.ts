/** A first-in-first-out queue in a growing ring: constant time at both ends, no copying of what waits. */
export class Ring<Item> {
  #items: (Item | undefined)[] = new Array<Item | undefined>(8).fill(undefined);
  #head = 0;
  size = 0;

  push(item: Item): void {
    if (this.size === this.#items.length) this.#grow();
    this.#items[(this.#head + this.size) & (this.#items.length - 1)] = item;
    this.size += 1;
  }

  /** Puts an item at the front, so that it is taken next. */
  unshift(item: Item): void {
    if (this.size === this.#items.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#items.length - 1);
    this.#items[this.#head] = item;
    this.size += 1;
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.size -= 1;
    return item;
  }

  /** Takes out, in one pass, every item that `isDead` names; the others keep their order. */
  discard(isDead: (item: Item) => boolean): void {
    for (let left = this.size; left > 0; left -= 1) {
      const item = this.shift() as Item;
      if (!isDead(item)) this.push(item);
    }
  }

  #grow(): void {
    const old = this.#items;
    const grown = new Array<Item | undefined>(old.length * 2).fill(undefined);
    for (let index = 0; index < this.size; index += 1) grown[index] = old[(this.#head + index) & (old.length - 1)];
    this.#items = grown;
    this.#head = 0;
  }
}
