/**
 * Ids of tasks, children, listeners and timers: the run's id, where the step is, which visit and which attempt. So the
 * same fold gives the same ids, and an id says at once whether what it names is still wanted.
 */

export interface Address {
  readonly path: string;
  readonly visit: number;
  readonly attempt: number;
}

export function writeId(executionId: string, { path, visit, attempt }: Address): string {
  return `${executionId}/${path}/${visit}/${attempt}`;
}

export function readId(executionId: string, id: string): Address | undefined {
  const from = executionId.length + 1;
  if (!id.startsWith(executionId) || id.charAt(from - 1) !== "/") return undefined;
  // No arrays: every event is found by its id.
  const last = id.lastIndexOf("/");
  const before = id.lastIndexOf("/", last - 1);
  if (before <= from) return undefined;
  const visit = Number(id.slice(before + 1, last));
  const attempt = Number(id.slice(last + 1));
  if (!Number.isInteger(visit) || !Number.isInteger(attempt)) return undefined;
  return { path: id.slice(from, before), visit, attempt };
}

/** Timers of one visit of one step. */
export type TimerKind = "timeout" | "retry" | "wait" | "sla";

/** The path under which the timers of the run itself go. */
export const runTimersPath = "$run";

export function writeTimerId(executionId: string, address: Address, kind: string): string {
  return `${writeId(executionId, address)}#${kind}`;
}

/** Each attempt has a timeout and a delay of its own; the other timers are of the visit. */
export function timerIdOf(executionId: string, { path, visit, attempt }: Address, kind: string): string {
  const own = kind === "timeout" || kind === "retry" ? attempt : 1;
  return writeTimerId(executionId, { path, visit, attempt: own }, kind);
}

export function readTimerId(executionId: string, id: string): { address: Address; kind: string } | undefined {
  const at = id.lastIndexOf("#");
  const address = at === -1 ? undefined : readId(executionId, id.slice(0, at));
  return address === undefined ? undefined : { address, kind: id.slice(at + 1) };
}

/** A path below another one; either may be empty. */
export function joinPath(above: string, below: string): string {
  if (above === "") return below;
  return below === "" ? above : `${above}/${below}`;
}

/** A number in [0, 1) that spreads retries of different tasks apart and is the same on replay. */
export function chanceOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 32;
}
