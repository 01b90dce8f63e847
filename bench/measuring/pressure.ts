import { readFileSync } from "node:fs";

/** Microseconds since boot in which something waited for a CPU; undefined where Linux pressure figures are absent. */
function waitedUs(): number | undefined {
  try {
    const match = /some .*total=(\d+)/.exec(readFileSync("/proc/pressure/cpu", "utf8"));
    return match === null ? undefined : Number(match[1]);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Watches how contended the machine is; the returned function gives the percentage of time since. */
export function watchPressure(): () => number | null {
  const waited = waitedUs();
  const from = performance.now();
  return () => {
    const now = waitedUs();
    if (waited === undefined || now === undefined) return null;
    return (now - waited) / 10 / (performance.now() - from);
  };
}
