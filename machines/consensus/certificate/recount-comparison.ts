import type { Voice } from "./recount.ts";

/** The place of an option in a ballot, 0 the best; what the ballot leaves out shares the last place. */
function placeIn(order: readonly (readonly string[])[], option: string): number {
  const place = order.findIndex((tier) => tier.includes(option));
  return place < 0 ? order.length : place;
}

/** The share of weight that prefers `left` to `right`, less the share that prefers `right`. */
function lead(voices: readonly Voice[], left: string, right: string): number {
  let sum = 0;
  for (const { member, choice } of voices) {
    if (choice.kind !== "ranked") continue;
    sum += Math.sign(placeIn(choice.order, right) - placeIn(choice.order, left)) * member.weight;
  }
  return sum;
}

/** Whether there is a way from one option to another over leads of at least `least`. */
function isLinked(
  leads: ReadonlyMap<string, ReadonlyMap<string, number>>,
  way: [string, string],
  least: number,
): boolean {
  const [from, to] = way;
  const open = [from];
  const seen = new Set(open);
  for (let option = open.pop(); option !== undefined; option = open.pop()) {
    for (const [next, size] of leads.get(option) ?? []) {
      if (size < least || seen.has(next)) continue;
      if (next === to) return true;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

/**
 * The winners of a ranking by the definition, for any number of options: a Condorcet winner alone; otherwise each
 * option to which no other one is linked more strongly than it is to that one (Schulze).
 */
export function winnersOfRanking(options: readonly string[], voices: readonly Voice[]): string[] {
  const leads = new Map(
    options.map((left) => [
      left,
      new Map(options.filter((right) => right !== left).map((right) => [right, lead(voices, left, right)])),
    ]),
  );
  const champion = options.find((option) => [...(leads.get(option)?.values() ?? [])].every((size) => size > 0));
  if (champion !== undefined) return [champion];
  const sizes = [...new Set([...leads.values()].flatMap((row) => [...row.values()]))].sort(
    (left, right) => right - left,
  );
  const strength = (from: string, to: string): number => sizes.find((size) => isLinked(leads, [from, to], size)) ?? 0;
  return options.filter((option) =>
    options.every((other) => other === option || strength(option, other) >= strength(other, option)),
  );
}

/** Whether a ballot prefers the option to at least one other. */
export function ranksUp(order: readonly (readonly string[])[], option: string, options: readonly string[]): boolean {
  return options.some((other) => placeIn(order, option) < placeIn(order, other));
}

function gradeIn(voice: Voice, option: string): number {
  const { choice } = voice;
  const entry = choice.kind === "grades" ? Object.entries(choice.grades).find(([id]) => id === option) : undefined;
  return entry?.[1] ?? 0;
}

/** The grades an option got, one entry per voice, in ascending order. */
function gradesOf(voices: readonly Voice[], option: string): { grade: number; weight: number }[] {
  return voices
    .map((voice) => ({ grade: gradeIn(voice, option), weight: voice.member.weight }))
    .sort((left, right) => left.grade - right.grade);
}

/** The majority grade: the largest grade that more than half of the weight gives at least. */
export function majorityGrade(voices: readonly Voice[], option: string): number {
  const given = gradesOf(voices, option);
  const total = given.reduce((sum, { weight }) => sum + weight, 0);
  const reached = given.filter(
    ({ grade }) => 2 * given.reduce((sum, each) => sum + (each.grade >= grade ? each.weight : 0), 0) > total,
  );
  return reached.at(-1)?.grade ?? 0;
}

/** The winners of majority judgment by its gauge; none where everything is rejected. */
export function winnersOfGrades(options: readonly string[], voices: readonly Voice[]): string[] {
  const gauges = options.map((option) => {
    const grade = majorityGrade(voices, option);
    const sum = (test: (given: number) => boolean): number =>
      gradesOf(voices, option).reduce((weight, each) => weight + (test(each.grade) ? each.weight : 0), 0);
    const above = sum((given) => given > grade);
    const below = sum((given) => given < grade);
    // One number orders equal majority grades: rising options by what is above, the others by what is below.
    return { option, grade, order: above > below ? above : -below };
  });
  const best = Math.max(...gauges.map(({ grade }) => grade));
  if (best === 0) return [];
  const top = gauges.filter(({ grade }) => grade === best);
  const order = Math.max(...top.map((gauge) => gauge.order));
  return top.filter((gauge) => gauge.order === order).map(({ option }) => option);
}
