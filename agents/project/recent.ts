/** Keeps the values used last, up to a total weight; the least recently used ones are dropped first. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value, weight: number): void;
  clear(): void;
}

export function createRecent<Value>(weightMax: number): Recent<Value> {
  const held = new Map<string, { readonly value: Value; readonly weight: number }>();
  let total = 0;
  const drop = (key: string): void => {
    total -= held.get(key)?.weight ?? 0;
    held.delete(key);
  };
  return {
    get(key) {
      const entry = held.get(key);
      if (entry === undefined) return undefined;
      held.delete(key);
      held.set(key, entry);
      return entry.value;
    },
    set(key, value, weight) {
      drop(key);
      held.set(key, { value, weight });
      total += weight;
      for (const oldest of held.keys()) {
        if (total <= weightMax || oldest === key) break;
        drop(oldest);
      }
    },
    clear() {
      held.clear();
      total = 0;
    },
  };
}
