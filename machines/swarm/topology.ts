/** Who may call whom in a swarm. */
export type Topology = "mesh" | "hierarchical" | "star" | "ring";

/** A member's place: its index in the swarm and its level, 0 at the top. Only `hierarchical` looks at levels. */
export interface Member {
  readonly index: number;
  readonly level: number;
}

/**
 * The index of each member's parent in a hierarchy, or -1 at the top. Members of a level are dealt round robin
 * to the members of the nearest level above that has any.
 */
export function hierarchyParents(members: readonly Member[]): readonly number[] {
  const levels = [...new Set(members.map((member) => member.level))].sort((a, b) => a - b);
  const dealt = new Map<number, number>();
  return members.map((member) => {
    const above = levels[levels.indexOf(member.level) - 1];
    if (above === undefined) return -1;
    const parents = members.filter((candidate) => candidate.level === above);
    const turn = dealt.get(member.level) ?? 0;
    dealt.set(member.level, turn + 1);
    return parents[turn % parents.length]?.index ?? -1;
  });
}

/**
 * For each member, the indexes of the members it may call, in ascending order.
 * mesh: everybody else. star: the hub (member 0) and each spoke. ring: the next member only.
 * hierarchical: the parent and the children.
 */
export function topologyLinks(topology: Topology, members: readonly Member[]): readonly (readonly number[])[] {
  const count = members.length;
  const all = members.map((member) => member.index);
  switch (topology) {
    case "mesh":
      return all.map((index) => all.filter((other) => other !== index));
    case "star":
      return all.map((index) => (index === 0 ? all.slice(1) : [0]));
    case "ring":
      return all.map((index) => (count < 2 ? [] : [(index + 1) % count]));
    case "hierarchical": {
      const parents = hierarchyParents(members);
      return all.map((index) => all.filter((other) => parents[other] === index || parents[index] === other));
    }
  }
}
