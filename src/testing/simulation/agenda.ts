/** What happens when, in order of time and then of insertion: a binary heap. */
export class Agenda<Item> {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: Item[] = [];
  #order = 0;

  get size(): number {
    return this.#items.length;
  }

  add(time: number, item: Item): void {
    const times = this.#times;
    const orders = this.#orders;
    const items = this.#items;
    const order = (this.#order += 1);
    let index = items.length;
    times.push(time);
    orders.push(order);
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((times[parent] as number) <= time) break;
      times[index] = times[parent] as number;
      orders[index] = orders[parent] as number;
      items[index] = items[parent] as Item;
      index = parent;
    }
    times[index] = time;
    orders[index] = order;
    items[index] = item;
  }

  /** Takes the earliest. */
  take(): { readonly time: number; readonly item: Item } | undefined {
    const item = this.#items[0];
    const time = this.#times[0];
    if (item === undefined || time === undefined) return undefined;
    const lastTime = this.#times.pop() as number;
    const lastOrder = this.#orders.pop() as number;
    const lastItem = this.#items.pop() as Item;
    if (this.#items.length > 0) this.#sink(lastTime, lastOrder, lastItem);
    return { time, item };
  }

  #sink(time: number, order: number, item: Item): void {
    const times = this.#times;
    const orders = this.#orders;
    const items = this.#items;
    const { length } = items;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#isBefore(child + 1, child)) child += 1;
      const childTime = times[child] as number;
      if (time < childTime || (time === childTime && order < (orders[child] as number))) break;
      times[index] = childTime;
      orders[index] = orders[child] as number;
      items[index] = items[child] as Item;
      index = child;
    }
    times[index] = time;
    orders[index] = order;
    items[index] = item;
  }

  #isBefore(left: number, right: number): boolean {
    const leftTime = this.#times[left] as number;
    const rightTime = this.#times[right] as number;
    return (
      leftTime < rightTime ||
      (leftTime === rightTime && (this.#orders[left] as number) < (this.#orders[right] as number))
    );
  }
}
