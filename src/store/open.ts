import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { MemoryStore } from "./memory.ts";
import type { Durability } from "./sqlite/protocol.ts";
import { SqliteStore } from "./sqlite/store.ts";

/**
 * The store that a name stands for: a file, or ":memory:".
 * Errors: rejects with `store/in-use`, `store/corrupt`, `store/newer` or `store/failed`; then nothing was changed.
 */
export async function openStore(
  given: string | Store | undefined,
  options: { readonly clock: Clock; readonly durability?: Durability },
): Promise<Store> {
  if (given === undefined || given === ":memory:") return new MemoryStore(options.clock);
  return typeof given === "string" ? SqliteStore.open(given, options) : given;
}
