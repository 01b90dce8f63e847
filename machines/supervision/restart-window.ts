/** How many restarts are tolerated within a period before a supervisor gives up. */
export interface Intensity {
  readonly restarts: number;
  readonly withinMs: number;
  /** `supervisor` counts all children together, as OTP does; `child` counts each by itself. */
  readonly per: "supervisor" | "child";
}

/** OTP's default: one restart in five seconds (supervisor, "Maximum Restart Intensity"). */
export const defaultIntensity: Intensity = { restarts: 1, withinMs: 5_000, per: "supervisor" };

/** Most restarts that an intensity may name; each remembered restart is one number. */
export const intensityRestartsMax = 10_000;

/** The times of the restarts that still count, oldest first. */
export type RestartWindow = readonly number[];

export const emptyWindow: RestartWindow = [];

/** Records a restart at `now`; `allowed` is false when it is one more than the intensity tolerates. */
export function recordRestart(
  window: RestartWindow,
  now: number,
  intensity: Intensity,
): { window: RestartWindow; allowed: boolean } {
  const since = now - intensity.withinMs;
  const firstKept = window.findIndex((at) => at >= since);
  const kept = firstKept === -1 ? [] : window.slice(firstKept);
  kept.push(now);
  return { window: kept, allowed: kept.length <= intensity.restarts };
}
