/** A token bucket: `perSecond` in the long run, `burst` at once. */
export interface BucketPlan {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Takes one token; says how long to wait where there is none. A new bucket is full. */
export function takeToken(
  bucket: Bucket | undefined,
  now: number,
  plan: BucketPlan,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const filled =
    bucket === undefined
      ? plan.burst
      : Math.min(plan.burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1_000) * plan.perSecond);
  if (filled >= 1) return { bucket: { tokens: filled - 1, at: now }, waitMs: 0 };
  return { bucket: { tokens: filled, at: now }, waitMs: Math.ceil(((1 - filled) / plan.perSecond) * 1_000) };
}
