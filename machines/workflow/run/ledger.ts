/**
 * A record that is copied on write yet costs the same with ten entries as with ten thousand: up to `leafMax` entries
 * it is one small object, beyond that a tree of them by the hash of the key. Plain JSON, so it lives in run states.
 */
export type Ledger<Value> = Leaf<Value> | Fork<Value>;

interface Leaf<Value> {
  readonly size: number;
  readonly entries: { readonly [key: string]: Value };
}

interface Fork<Value> {
  readonly size: number;
  readonly slots: readonly Ledger<Value>[];
}

/** Most entries of one leaf before it is split. */
const leafMax = 16;
const slotBits = 4;
const slotCount = 1 << slotBits;
/** Hash bits there are; leaves below the last fork grow without bound, which 2^28 paths do not reach. */
const hashBitsMax = 28;

const empty: Leaf<never> = Object.freeze({ size: 0, entries: Object.freeze({}) });

export function emptyLedger<Value>(): Ledger<Value> {
  return empty;
}

/** FNV-1a over the UTF-16 units; only the spread matters. Source: Fowler, Noll and Vo, 32-bit parameters. */
function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function slotOf(hash: number, bit: number): number {
  return (hash >>> bit) & (slotCount - 1);
}

export function readLedger<Value>(ledger: Ledger<Value>, key: string): Value | undefined {
  let node = ledger;
  if ("slots" in node) {
    const hash = hashKey(key);
    for (let bit = 0; "slots" in node; bit += slotBits) node = node.slots[slotOf(hash, bit)] as Ledger<Value>;
  }
  return Object.hasOwn(node.entries, key) ? node.entries[key] : undefined;
}

export function hasEntry<Value>(ledger: Ledger<Value>, key: string): boolean {
  return readLedger(ledger, key) !== undefined;
}

export function writeLedger<Value>(ledger: Ledger<Value>, key: string, value: Value): Ledger<Value> {
  return writeNode(ledger, { key, value, hash: "slots" in ledger ? hashKey(key) : 0 }, 0);
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  readonly hash: number;
}

function writeNode<Value>(node: Ledger<Value>, entry: Entry<Value>, bit: number): Ledger<Value> {
  if ("slots" in node) {
    const slot = slotOf(entry.hash, bit);
    const before = node.slots[slot] as Ledger<Value>;
    const after = writeNode(before, entry, bit + slotBits);
    return { size: node.size + after.size - before.size, slots: node.slots.with(slot, after) };
  }
  const entries = { ...node.entries, [entry.key]: entry.value };
  const size = node.size + (Object.hasOwn(node.entries, entry.key) ? 0 : 1);
  return size > leafMax && bit < hashBitsMax ? splitLeaf(entries, size, bit) : { size, entries };
}

function splitLeaf<Value>(entries: { readonly [key: string]: Value }, size: number, bit: number): Ledger<Value> {
  const parts = Array.from({ length: slotCount }, (): { [key: string]: Value } => ({}));
  for (const [key, value] of Object.entries(entries)) {
    const part = parts[slotOf(hashKey(key), bit)];
    if (part !== undefined)
      Object.defineProperty(part, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return { size, slots: parts.map((part): Leaf<Value> => ({ size: Object.keys(part).length, entries: part })) };
}

export function dropEntry<Value>(ledger: Ledger<Value>, key: string): Ledger<Value> {
  return dropNode(ledger, { key, hash: "slots" in ledger ? hashKey(key) : 0 }, 0);
}

function dropNode<Value>(node: Ledger<Value>, at: { key: string; hash: number }, bit: number): Ledger<Value> {
  if ("slots" in node) {
    const slot = slotOf(at.hash, bit);
    const before = node.slots[slot] as Ledger<Value>;
    const after = dropNode(before, at, bit + slotBits);
    if (after === before) return node;
    const size = node.size - 1;
    return size === 0 ? empty : { size, slots: node.slots.with(slot, after) };
  }
  if (!Object.hasOwn(node.entries, at.key)) return node;
  if (node.size === 1) return empty;
  const { [at.key]: _dropped, ...entries } = node.entries;
  return { size: node.size - 1, entries };
}

/** Every entry; in the order of writing while there are few, by hash beyond. */
export function* ledgerEntries<Value>(ledger: Ledger<Value>): Generator<[string, Value]> {
  if ("slots" in ledger) for (const slot of ledger.slots) yield* ledgerEntries(slot);
  else yield* Object.entries(ledger.entries);
}

/** The entries as one object, keys sorted once there are too many to keep the order of writing. */
export function ledgerRecord<Value>(ledger: Ledger<Value>): { readonly [key: string]: Value } {
  if ("entries" in ledger) return ledger.entries;
  const entries = [...ledgerEntries(ledger)].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries);
}

export function ledgerOf<Value>(record: { readonly [key: string]: Value }): Ledger<Value> {
  let ledger: Ledger<Value> = empty;
  for (const [key, value] of Object.entries(record)) ledger = writeLedger(ledger, key, value);
  return ledger;
}
