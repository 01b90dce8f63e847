/**
 * What the crash campaign runs: an order with branches side by side, a map, timers, and parts within parts, three
 * levels deep. Every operation notes itself, and those that change something say how they are undone.
 */

/** How an order is meant to end. */
type Fate = "completes" | "fails at the end" | "fails in the innermost part";

export interface OrderInput {
  readonly order: number;
  readonly fails: "" | "end" | "deep";
  readonly items: readonly number[];
}

export function fateOf(order: number): Fate {
  if (order % 4 === 1) return "fails at the end";
  return order % 4 === 2 ? "fails in the innermost part" : "completes";
}

export function inputOf(order: number): OrderInput {
  const fate = fateOf(order);
  return {
    order,
    fails: fate === "completes" ? "" : fate === "fails at the end" ? "end" : "deep",
    items: Array.from({ length: 1 + (order % 5) }, (_, index) => index),
  };
}

function note(id: string, rest: object = {}): object {
  return {
    id,
    name: id,
    type: "task",
    capability: "note",
    input: { order: "$.input.order", op: id },
    output: { [id]: "$.output" },
    ...rest,
  };
}

function undoable(id: string, rest: object = {}): object {
  return note(id, { compensate: { capability: "undo", input: { order: "$.input.order", op: `undo-${id}` } }, ...rest });
}

function wait(id: string, ms: number): object {
  return { id, name: id, type: "wait", wait: ms };
}

function part(id: string, workflow: string): object {
  return {
    id,
    name: id,
    type: "subworkflow",
    subworkflow: { workflow },
    input: "$.input",
    output: { [id]: "$.output" },
  };
}

function each(id: string, over: unknown): object {
  const steps = [note(`${id}-item`, { input: { order: "$.input.order", op: `${id}-\${$.item}` } })];
  return { id, name: id, type: "map", map: { over, concurrency: 2, steps }, output: { [id]: "$.output" } };
}

/** Fails once with every key's first attempt, and is tried again. */
function flaky(id: string): object {
  return undoable(id, { capability: "flaky", retry: { attempts: 3, strategy: "linear", interval: 3 } });
}

const fragile = (id: string, when: string): object =>
  note(id, { input: { order: "$.input.order", op: id, fails: `$.input.fails == '${when}'` } });

export const orderDefinitions: readonly object[] = [
  {
    key: "piece",
    name: "Piece",
    version: "1.0.0",
    steps: [undoable("cut"), wait("dry", 7), each("holes", [1, 2, 3]), fragile("check", "deep")],
  },
  {
    key: "part",
    name: "Part",
    version: "1.0.0",
    steps: [
      undoable("open"),
      {
        id: "inside",
        name: "inside",
        type: "parallel",
        parallel: {
          branches: [
            { id: "screws", steps: [each("screws", "$.input.items")] },
            { id: "piece", steps: [part("inner", "piece")] },
          ],
        },
      },
      wait("settle", 5),
      note("shut"),
    ],
  },
  {
    key: "order",
    name: "Order",
    version: "1.0.0",
    steps: [
      undoable("reserve"),
      {
        id: "work",
        name: "work",
        type: "parallel",
        parallel: {
          branches: [
            { id: "timed", steps: [note("before"), wait("pause", 15), undoable("after")] },
            { id: "wide", steps: [each("goods", "$.input.items")] },
            { id: "nested", steps: [part("outer", "part")] },
          ],
        },
      },
      wait("rest", 10),
      flaky("charge"),
      fragile("close", "end"),
    ],
  },
];

const tasksOf = {
  order: ["reserve", "before", "after", "charge", "close"],
  part: ["open", "shut"],
  piece: ["cut", "holes-1", "holes-2", "holes-3", "check"],
};
/** Operations that are undone when the run that they belong to fails. */
export const undoneOps: ReadonlySet<string> = new Set(["reserve", "after", "charge", "open", "cut"]);

/** Every operation of an order that completes, each once. */
export function completeOps({ items }: OrderInput): readonly string[] {
  const { order, part: middle, piece } = tasksOf;
  return [...order, ...middle, ...piece, ...items.flatMap((item) => [`goods-${item}`, `screws-${item}`])];
}

/** What an operation gives back: the same however often it is done. */
export function resultOf(order: number, op: string): string {
  return `${op} of ${order}`;
}

/** What a completed order gives back. */
export function outputOf(input: OrderInput): object {
  const of = (op: string): string => resultOf(input.order, op);
  const flat = (ops: readonly string[]): object => Object.fromEntries(ops.map((op) => [op, of(op)]));
  const piece = { ...flat(["cut", "check"]), holes: [1, 2, 3].map((hole) => of(`holes-${hole}`)) };
  const middle = {
    ...flat(tasksOf.part),
    screws: input.items.map((item) => of(`screws-${item}`)),
    inner: piece,
  };
  return { ...flat(tasksOf.order), goods: input.items.map((item) => of(`goods-${item}`)), outer: middle };
}
