/** Waits between attempts, in milliseconds. */
export interface BackoffPlan {
  readonly firstMs: number;
  readonly maxMs?: number;
  /** Factor from one wait to the next; default 2. */
  readonly rate?: number;
  /** Share of each wait that chance may take away, 0 to 1; default 0. */
  readonly jitter?: number;
}

/** The longest wait a plan gives when it names none. */
export const backoffMaxMs = 60_000;

/** The wait before attempt `attempt + 1`, where `attempt` counts from 1; `chance` is uniform in [0, 1). */
export function backoffMs(plan: BackoffPlan, attempt: number, chance: number): number {
  // No wait stays none: zero times a power beyond all numbers would be no number.
  if (plan.firstMs === 0) return 0;
  const full = Math.min(plan.firstMs * (plan.rate ?? 2) ** (attempt - 1), plan.maxMs ?? backoffMaxMs);
  return full * (1 - (plan.jitter ?? 0) * chance);
}

/** Says what is wrong with a plan, or nothing; `name` is what its owner calls it. */
export function checkBackoff(name: string, plan: BackoffPlan): string | undefined {
  const { firstMs, maxMs = backoffMaxMs, rate = 2, jitter = 0 } = plan;
  if (!(firstMs >= 0 && Number.isFinite(firstMs))) return `${name}.firstMs is ${firstMs}; it must be 0 or more`;
  if (!(maxMs >= 0 && Number.isFinite(maxMs))) return `${name}.maxMs is ${maxMs}; it must be 0 or more`;
  if (!(rate >= 1 && Number.isFinite(rate))) return `${name}.rate is ${rate}; it must be 1 or more`;
  if (!(jitter >= 0 && jitter <= 1)) return `${name}.jitter is ${jitter}; it must be from 0 to 1`;
  return undefined;
}
