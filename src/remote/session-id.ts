import type { Ids } from "../ports/chance.ts";

/** Half of the id says which dialer it is, the other half counts its sessions. */
const halfCharacters = 16;

/** The id of a dialer's session number 0, which is never begun. */
export function firstSessionId(ids: Ids): string {
  return ids.hex(halfCharacters / 2).padEnd(2 * halfCharacters, "0");
}

export function nextSessionId(id: string): string {
  const number = Number.parseInt(id.slice(halfCharacters), 16) + 1;
  return id.slice(0, halfCharacters) + number.toString(16).padStart(halfCharacters, "0");
}

/** Whether both are sessions of one dialer. */
export function isOfOneDialer(one: string, other: string): boolean {
  return one.length === 2 * halfCharacters && one.slice(0, halfCharacters) === other.slice(0, halfCharacters);
}
