/** What a chain of calls may still use. A missing field is no limit; 0 is none at all. */
export interface Allowance {
  readonly calls?: number;
  readonly tokens?: number;
  readonly cost?: number;
}

export type BudgetField = "calls" | "tokens" | "cost";

const fields: readonly BudgetField[] = ["calls", "tokens", "cost"];

/**
 * Draws `used` from `left`. `crossed` names the first field that does not reach; what was used is used all the
 * same, so the rest is never negative and a later draw of that field fails too. What is no amount (negative, not a
 * number, infinite) is more than any limit.
 */
export function draw(left: Allowance, used: Allowance): { left: Allowance; crossed: BudgetField | undefined } {
  let crossed: BudgetField | undefined;
  const rest: { calls?: number; tokens?: number; cost?: number } = { ...left };
  for (const field of fields) {
    const limit = left[field];
    const amount = used[field] ?? 0;
    if (limit === undefined || amount === 0) continue;
    const isAmount = Number.isFinite(amount) && amount > 0;
    if (!isAmount || amount > limit) crossed ??= field;
    rest[field] = isAmount ? Math.max(0, limit - amount) : 0;
  }
  return { left: rest, crossed };
}

/** What two allowances leave together: of each field the smaller. */
export function narrow(one: Allowance, other: Allowance): Allowance {
  const both: { calls?: number; tokens?: number; cost?: number } = { ...other, ...one };
  for (const field of fields) {
    const limit = other[field];
    if (limit !== undefined) both[field] = Math.min(both[field] ?? limit, limit);
  }
  return both;
}

/** Says what is wrong with a budget a caller gave, or nothing. Not-a-number and negative amounts fail closed. */
export function checkAllowance(allowance: Allowance): string | undefined {
  for (const field of fields) {
    const amount = allowance[field];
    if (amount !== undefined && !(typeof amount === "number" && amount >= 0))
      return `budget.${field} must be 0 or more; a missing field means no limit`;
  }
  return undefined;
}
