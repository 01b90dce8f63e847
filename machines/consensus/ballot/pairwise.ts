import type { Choice } from "../codec/messages.ts";

/** One counted ranking: per option, in proposal order, the tier it stands in; 0 is the best. */
export interface Ranking {
  readonly weight: number;
  readonly tiers: readonly number[];
}

/** For each ordered pair of options: the weight that prefers the first, less the weight that prefers the second. */
export type Margins = readonly (readonly number[])[];

/** The tier of every option in a ranking; options that it leaves out share the tier below the last. */
export function tiersOf(order: Extract<Choice, { kind: "ranked" }>["order"], options: readonly string[]): number[] {
  const tiers = new Map(order.flatMap((tier, index) => tier.map((option) => [option, index] as const)));
  return options.map((option) => tiers.get(option) ?? order.length);
}

/** Whether a ranking puts an option above another one: that is what counts as support for it. */
export function isRankedUp(tiers: readonly number[], option: number): boolean {
  const own = tiers[option] ?? 0;
  return tiers.some((tier) => tier > own);
}

/** Adds up all pairs. Integers, so the sum does not depend on the order of the ballots. */
export function marginsOf(rankings: readonly Ranking[], optionCount: number): Margins {
  const margins = Array.from({ length: optionCount }, () => Array.from({ length: optionCount }, () => 0));
  for (const { weight, tiers } of rankings) {
    for (const [left, row] of margins.entries()) {
      for (const right of row.keys()) {
        const lead = (tiers[right] ?? 0) - (tiers[left] ?? 0);
        if (lead !== 0) row[right] = (row[right] ?? 0) + (lead > 0 ? weight : -weight);
      }
    }
  }
  return margins;
}

/**
 * The strength of the strongest path between each pair: a path is as strong as its weakest margin. Floyd and
 * Warshall's scheme with (max, min) in place of (min, +). Source: Schulze, "A new monotonic, clone-independent,
 * reversal symmetric, and Condorcet-consistent single-winner election method" (2011), §2.3.1.
 */
export function strengthsOf(margins: Margins): number[][] {
  const strengths = margins.map((row) => [...row]);
  for (const via of margins.keys()) {
    for (const [from, row] of strengths.entries()) {
      if (from === via) continue;
      for (const to of row.keys()) {
        if (to === from || to === via) continue;
        const detour = Math.min(row[via] ?? 0, strengths[via]?.[to] ?? 0);
        if (detour > (row[to] ?? 0)) row[to] = detour;
      }
    }
  }
  return strengths;
}

/**
 * The Smith set: the fewest options that each win against every option outside. One alone is the Condorcet winner.
 * An option belongs to it when it reaches every other one by steps that are not lost.
 */
export function smithSetOf(margins: Margins): ReadonlySet<number> {
  const members = new Set<number>();
  for (const start of margins.keys()) {
    const reached = new Set([start]);
    for (const from of reached) {
      for (const [to, margin] of (margins[from] ?? []).entries()) if (margin >= 0) reached.add(to);
    }
    if (reached.size === margins.length) members.add(start);
  }
  return members;
}

/**
 * The options that win by Schulze's method over the Smith set: no other one has a stronger path to them than they
 * have to it. Several only where paths are equally strong.
 */
export function schulzeWinners(margins: Margins): number[] {
  const smith = [...smithSetOf(margins)];
  if (smith.length === 1) return smith;
  const strengths = strengthsOf(margins);
  const isBeaten = (option: number): boolean =>
    smith.some((other) => (strengths[other]?.[option] ?? 0) > (strengths[option]?.[other] ?? 0));
  return smith.filter((option) => !isBeaten(option));
}
