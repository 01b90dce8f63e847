import { totalWeightOf } from "./electorate.ts";
import { boundsOf, twoThirds, type Bounds, type Share } from "./threshold.ts";

/** What the analysis reads of a member. */
export interface Weighted {
  readonly id: string;
  readonly weight: number;
  readonly group?: string | undefined;
  readonly host?: string | undefined;
}

/** A group or a host, and the weight that would fail with it. */
export interface Bloc {
  readonly name: string;
  readonly weight: number;
}

/** What an electorate can stand under a threshold, and who is too strong in it. */
export interface ElectorateAnalysis extends Bounds {
  /** Members that form a quorum alone. */
  readonly deciders: readonly string[];
  /** Members without whom no quorum exists: weight above F_live. */
  readonly vetoers: readonly string[];
  /** Groups that hold the cap or more of the weight. */
  readonly groupsOverCap: readonly Bloc[];
  /** Hosts that hold more than F_live: one machine's failure stops every decision. */
  readonly hostsOverCap: readonly Bloc[];
}

/** One third: a group below it can neither veto nor, with any other such group, decide. */
const oneThird = { num: 1, den: 3 };

function blocsOf(members: readonly Weighted[], nameOf: (member: Weighted) => string | undefined): Bloc[] {
  const weights = new Map<string, number>();
  for (const member of members) {
    const name = nameOf(member);
    if (name !== undefined) weights.set(name, (weights.get(name) ?? 0) + member.weight);
  }
  return [...weights]
    .map(([name, weight]) => ({ name, weight }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The bounds of an electorate, and the members, groups and hosts that are too strong in it. */
export function analyzeMembers(
  members: readonly Weighted[],
  policy: { readonly threshold?: Share; readonly groupCap?: { readonly num: number; readonly den: number } } = {},
): ElectorateAnalysis {
  const total = totalWeightOf(members);
  const bounds = boundsOf(policy.threshold ?? twoThirds, total);
  const cap = policy.groupCap ?? oneThird;
  return {
    ...bounds,
    deciders: members.filter(({ weight }) => weight >= bounds.q).map(({ id }) => id),
    vetoers: members.filter(({ weight }) => weight > bounds.fLive).map(({ id }) => id),
    groupsOverCap: blocsOf(members, ({ group }) => group).filter(({ weight }) => weight * cap.den >= cap.num * total),
    hostsOverCap: blocsOf(members, ({ host }) => host).filter(({ weight }) => weight > bounds.fLive),
  };
}
