import { seededRandom } from "../../src/testing/seeded.ts";

/** What is done to one node while a decision is made. Names: CometBFT's end-to-end tests. */
export const perturbations = ["disconnect", "pause", "kill", "restart"] as const;
/** How likely each of them is, for each node and each decision. */
export const perturbationChance = 0.1;
/** How often the liar signs twice, in each of its lives. */
export const evidenceCounts = [0, 1, 10] as const;
/** A node is hurt within so many milliseconds of the question, */
export const hurtWithinMs = 250;
/** and disconnected or stopped for at least and at most so many: shorter and longer than a link bears silence. */
export const hurtMinMs = 100;
export const hurtMaxMs = 1_200;

export const nodeNames = ["ann", "bob", "cy", "dee"] as const;
export type NodeName = (typeof nodeNames)[number];

export interface Perturbation {
  readonly node: NodeName;
  readonly kind: (typeof perturbations)[number];
  readonly afterMs: number;
  /** For "disconnect" and "pause". */
  readonly forMs: number;
}

/** Everything that follows from a seed; what real processes make of it in real time does not. */
export interface TestnetPlan {
  readonly liar: NodeName;
  readonly lies: (typeof evidenceCounts)[number];
  /** Of each decision; a node is hurt once in one at most. */
  readonly steps: readonly (readonly Perturbation[])[];
}

export function planTestnet(seed: number, steps: number): TestnetPlan {
  const random = seededRandom(seed);
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random.next() * values.length)] as Value;
  const between = (min: number, max: number): number => Math.round(min + random.next() * (max - min));
  const perturb = (node: NodeName): Perturbation[] => {
    const chosen = perturbations.filter(() => random.next() < perturbationChance);
    const [kind] = chosen;
    const [afterMs, forMs] = [between(0, hurtWithinMs), between(hurtMinMs, hurtMaxMs)];
    return kind === undefined ? [] : [{ node, kind, afterMs, forMs }];
  };
  return {
    liar: pick(nodeNames),
    lies: pick(evidenceCounts),
    steps: Array.from({ length: steps }, () => nodeNames.flatMap(perturb)),
  };
}
