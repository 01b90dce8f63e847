import { capabilityKey } from "../agent/handler-behaviour.ts";
import type { Cell } from "../system/cell.ts";

/** Affinity keys remembered at once; beyond it the longest unused is forgotten and may land elsewhere. */
export const affinitiesMax = 65_536;

/** Which agent serves which affinity key. */
export class Affinities {
  readonly #bound = new Map<string, Cell>();

  get(capability: string, affinity: string): Cell | undefined {
    const key = `${capabilityKey(capability)} ${affinity}`;
    const cell = this.#bound.get(key);
    if (cell === undefined) return undefined;
    this.#bound.delete(key);
    this.#bound.set(key, cell);
    return cell;
  }

  set(capability: string, affinity: string, cell: Cell): void {
    const key = `${capabilityKey(capability)} ${affinity}`;
    this.#bound.delete(key);
    this.#bound.set(key, cell);
    if (this.#bound.size <= affinitiesMax) return;
    const oldest = this.#bound.keys().next();
    if (oldest.done !== true) this.#bound.delete(oldest.value);
  }
}
