import type { TaskTarget } from "../effects.ts";

/** Whom a task is for, in a few words. */
export function describeTarget({ capability, agent, mode }: TaskTarget): string {
  const named = capability ?? mode ?? "";
  if (agent === undefined) return named;
  return named === "" ? agent : `${named} by ${agent}`;
}

/** A duration as people say it. */
export function describeMs(ms: number): string {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1_000, "s"],
  ] as const;
  const [size, unit] = units.find(([length]) => ms >= length) ?? [1, "ms"];
  return `${Math.round((ms / size) * 10) / 10} ${unit}`;
}
