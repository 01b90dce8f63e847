import type { Outcome } from "../../machines/failure.ts";
import type { Parsed } from "./schema.ts";

/** Items of one stream that may be ahead of its reader, on the way or waiting; then the handler waits. */
export const itemsAheadMax = 32;
/** Items of one stream in a row before other work of this process gets its turn. */
const itemsPerTurnMax = 256;

/** Takes what the handler of a stream yields. */
export interface ItemSink {
  /** One has been taken: the call is begun by no other agent, and not again, which would repeat it. */
  readonly isBegun: boolean;
  /** Hears of each item that was read. */
  taken: (() => void) | undefined;
  /**
   * Undefined where there is room for another; otherwise resolves when there is, or when nobody reads any more. Rejects
   * with a `Refusal` for what cannot travel.
   */
  push(item: unknown): Promise<void> | undefined;
}

/** The handler of a stream at work, and who waits for what it yields. */
export interface Pouring {
  /** Undefined where only the end is of interest, or nothing at all. */
  readonly sink: ItemSink | undefined;
  readonly check: (item: unknown) => Parsed | Promise<Parsed>;
  /** The call is over, or the agent's incarnation is. */
  readonly isOver: () => boolean;
  readonly misfit: (parsed: Parsed & { readonly success: false }) => Outcome<never>;
}

/** What a handler gave: its return value, or why it was left before it returned. */
export type Poured = { readonly value: unknown } | { readonly left: Outcome<never> | undefined };

/** Hands over one item; gives why the stream ends with it, where it does. */
async function pass(item: unknown, { sink, check, misfit }: Pouring): Promise<Outcome<never> | undefined> {
  if (sink === undefined) return undefined;
  const parsed = await check(item);
  if (!parsed.success) return misfit(parsed);
  await sink.push(parsed.data);
  return undefined;
}

/** Runs the handler of a stream: each item is checked and handed over before the next one is made. */
export async function pour(handler: AsyncIterator<unknown, unknown, undefined>, pouring: Pouring): Promise<Poured> {
  for (let count = 1; ; count += 1) {
    const { done, value } = await handler.next();
    if (done === true) return { value };
    let left: Outcome<never> | undefined;
    try {
      left = pouring.isOver() ? undefined : await pass(value, pouring);
    } catch (thrown) {
      await handler.return?.();
      throw thrown;
    }
    if (left !== undefined || pouring.isOver()) {
      await handler.return?.();
      return { left };
    }
    if (count % itemsPerTurnMax === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
