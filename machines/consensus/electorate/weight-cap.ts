import type { Weighted } from "./analysis.ts";
import { totalWeightMax, totalWeightOf } from "./electorate.ts";
import type { Parsed } from "./threshold.ts";

/** Capped weights are scaled by this, so that a fractional cap loses less than a thousandth. */
export const capScale = 1_000;

/** Members that are capped together: one member, or everybody of one declared group. */
interface Unit {
  readonly weight: number;
  readonly members: readonly number[];
}

function unitsOf(members: readonly Weighted[], per: "member" | "group"): Unit[] {
  const byName = new Map<string, number[]>();
  const units: Unit[] = [];
  for (const [index, member] of members.entries()) {
    if (per === "member" || member.group === undefined) units.push({ weight: member.weight, members: [index] });
    else byName.set(member.group, [...(byName.get(member.group) ?? []), index]);
  }
  for (const indexes of byName.values()) {
    units.push({ weight: indexes.reduce((sum, index) => sum + (members[index]?.weight ?? 0), 0), members: indexes });
  }
  return units;
}

/**
 * The water level τ = α·rest_k/(1-αk) for the smallest k whose level covers the next unit, as an exact fraction.
 * Every unit above the level is lowered to it. Source: water filling, consensus design §2.
 */
function findLevel(
  weights: readonly number[],
  cap: { readonly num: number; readonly den: number },
): { num: bigint; den: bigint } | undefined {
  const sorted = weights.toSorted((left, right) => right - left);
  let rest = BigInt(sorted.reduce((sum, weight) => sum + weight, 0));
  for (const [k, weight] of sorted.entries()) {
    const den = BigInt(cap.den) - BigInt(cap.num) * BigInt(k);
    if (den <= 0n) return undefined;
    const num = BigInt(cap.num) * rest;
    if (num >= BigInt(weight) * den) return { num, den };
    rest -= BigInt(weight);
  }
  return undefined;
}

/**
 * Takes 1 at a time from the heaviest unit until every unit is strictly below its share. It ends: the total falls
 * with each pass, and with more than 1/α units equal weights are below the share.
 */
function settleBelow(
  weights: number[],
  units: readonly Unit[],
  cap: { readonly num: number; readonly den: number },
): void {
  const weightOf = (unit: Unit): number => unit.members.reduce((sum, index) => sum + (weights[index] ?? 0), 0);
  for (;;) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const over = units
      .map((unit) => ({ unit, weight: weightOf(unit) }))
      .filter(({ weight }) => weight * cap.den >= cap.num * total);
    const top = over.sort((left, right) => right.weight - left.weight)[0];
    if (top === undefined) return;
    const heaviest = top.unit.members.toSorted((left, right) => (weights[right] ?? 0) - (weights[left] ?? 0))[0];
    if (heaviest !== undefined) weights[heaviest] = (weights[heaviest] ?? 0) - 1;
  }
}

/**
 * Weights in which no member (or no declared group) holds the cap or more of the whole. Weights that already fit
 * come back as they are; otherwise all are scaled by 1,000 (less where W would pass its limit) and the heavy ones
 * lowered to the water level: [10,1,1,1,1] capped at 1/3 becomes [1999,1000,1000,1000,1000].
 */
export function lowerWeights(
  members: readonly Weighted[],
  cap: { readonly num: number; readonly den: number },
  per: "member" | "group" = "member",
): Parsed<readonly number[]> {
  const units = unitsOf(members, per);
  const total = totalWeightOf(members);
  const own = members.map(({ weight }) => weight);
  if (units.every(({ weight }) => weight * cap.den < cap.num * total)) return { ok: true, value: own };
  const what = per === "member" ? "members" : "groups";
  if (units.length * cap.num <= cap.den) {
    const least = Math.floor(cap.den / cap.num) + 1;
    return {
      ok: false,
      problem: `a cap of ${cap.num}/${cap.den} needs at least ${least} ${what}; there are ${units.length}`,
    };
  }
  const level = findLevel(
    units.map(({ weight }) => weight),
    cap,
  );
  if (level === undefined)
    return { ok: false, problem: `no weights of ${units.length} ${what} stay below ${cap.num}/${cap.den}` };
  const scale = BigInt(Math.max(1, Math.min(capScale, Math.floor(totalWeightMax / total))));
  const weights = [...own];
  for (const unit of units) {
    const isOver = BigInt(unit.weight) * level.den > level.num;
    for (const index of unit.members) {
      const weight = BigInt(own[index] ?? 0);
      const scaled = isOver ? (scale * weight * level.num) / (level.den * BigInt(unit.weight)) : scale * weight;
      weights[index] = Number(scaled);
    }
  }
  settleBelow(weights, units, cap);
  if (weights.some((weight) => weight < 1)) {
    return {
      ok: false,
      problem: `a cap of ${cap.num}/${cap.den} leaves a member without weight; raise the cap or multiply the weights`,
    };
  }
  return { ok: true, value: weights };
}
