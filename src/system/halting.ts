import type { Child, HaltMode } from "./supervision.ts";

/** Stops children from right to left, each within its own time; stays synchronous as long as they do. */
export function haltInReverse(children: readonly Child[], mode: HaltMode): Promise<void> | undefined {
  for (let index = children.length - 1; index >= 0; index -= 1) {
    const halted = (children[index] as Child).halt(mode);
    if (halted instanceof Promise) {
      const rest = children.slice(0, index);
      return halted.then(() => haltInReverse(rest, mode));
    }
  }
  return undefined;
}

/** Stops children that do not depend on each other at once. Source: OTP `simple_one_for_one`. */
export function haltTogether(children: readonly Child[], mode: HaltMode): Promise<void> | undefined {
  const slow = children.map((child) => child.halt(mode)).filter((halted) => halted instanceof Promise);
  return slow.length === 0 ? undefined : Promise.all(slow).then(() => undefined);
}
