import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mailbox, type Lane, type Overflow } from "../../../machines/mailbox/mailbox.ts";
import { Ring } from "../../../machines/mailbox/ring.ts";

describe("the ring", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant("push" as const) },
    { weight: 3, arbitrary: fc.constant("shift" as const) },
    { weight: 2, arbitrary: fc.constant("unshift" as const) },
    { weight: 1, arbitrary: fc.constant("discard" as const) },
  );

  test("does what an array does, under any steps", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const ring = new Ring<number>();
        const model: number[] = [];
        for (const [n, each] of steps.entries()) {
          if (each === "push") {
            ring.push(n);
            model.push(n);
          } else if (each === "unshift") {
            ring.unshift(n);
            model.unshift(n);
          } else if (each === "discard") {
            ring.discard((item) => item % 3 === 0);
            model.splice(0, model.length, ...model.filter((item) => item % 3 !== 0));
          } else expect(ring.shift()).toBe(model.shift());
          expect(ring.size).toBe(model.length);
        }
        for (const left of model) expect(ring.shift()).toBe(left);
        expect(ring.shift()).toBeUndefined();
      }),
    );
  });
});

interface Item {
  readonly n: number;
  readonly lane: Lane;
}

/** A mailbox as three arrays. */
class Model {
  readonly lanes: [Item[], Item[], Item[]] = [[], [], []];

  get size(): number {
    return this.lanes.flat().length;
  }

  offer(item: Item, capacity: number, overflow: Overflow): string {
    if (this.size < capacity) {
      this.lanes[item.lane].push(item);
      return "accepted";
    }
    if (overflow === "busy") return "busy";
    if (overflow === "drop-newest") return `dropped ${item.n}`;
    // The oldest of the least urgent has to go, which may be the new one itself; never a more urgent one.
    for (const lane of [2, 1, 0] as const) {
      if (lane < item.lane) break;
      const oldest = this.lanes[lane].shift();
      if (oldest === undefined) continue;
      this.lanes[item.lane].push(item);
      return `dropped ${oldest.n}`;
    }
    return `dropped ${item.n}`;
  }

  take(): Item | undefined {
    const [high, normal, low] = this.lanes;
    return high.shift() ?? normal.shift() ?? low.shift();
  }
}

describe("the mailbox", () => {
  const lane = fc.constantFrom<Lane>(0, 1, 2);
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("offer" as const), lane }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("take" as const), lane }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("put back" as const), lane }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("discard" as const), lane }) },
  );

  test.each(["busy", "drop-oldest", "drop-newest"] as const)(
    "%s: does what three arrays do, never holds more than it may, and loses nothing unsaid",
    (overflow) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
          const mailbox = new Mailbox<Item>(capacity, overflow);
          const model = new Model();
          let putBack = 0;
          for (const [n, each] of steps.entries()) {
            const item: Item = { n, lane: each.lane };
            if (each.kind === "offer") {
              const offer = mailbox.offer(item, item.lane);
              const said = offer.kind === "dropped" ? `dropped ${offer.dropped.n}` : offer.kind;
              expect(said).toBe(model.offer(item, capacity, overflow));
            } else if (each.kind === "take") {
              expect(mailbox.take()).toEqual(model.take());
            } else if (each.kind === "put back") {
              putBack += 1;
              mailbox.putBack(item, item.lane);
              model.lanes[item.lane].unshift(item);
            } else {
              const isDead = ({ n: own }: Item): boolean => own % 2 === 0;
              mailbox.discard(isDead);
              for (const items of model.lanes) items.splice(0, items.length, ...items.filter((own) => !isDead(own)));
            }
            expect(mailbox.size).toBe(model.size);
            expect(mailbox.size).toBeLessThanOrEqual(capacity + putBack);
          }
        }),
      );
    },
  );
});
