import { defineExpert } from "../expert.ts";
import type { Bias } from "../judgement.ts";
import { complexity } from "./complexity.ts";
import { importCycles } from "./cycles.ts";
import { duplication } from "./duplication.ts";
import { debt, strictness } from "./debt.ts";
import { hotspots } from "./hotspots.ts";
import { tests } from "./tests.ts";

/**
 * Maintainability first: the next change must be safe and cheap. A large body of code without one test cannot be
 * changed safely, so that alone holds. Otherwise one high finding and a few medium ones are a reason to
 * mend (9), and it takes some five high ones to hold (35). Low findings are friction: fifteen kinds make one high.
 */
export const maintainabilityBias: Bias = {
  points: { critical: 20, high: 6, medium: 1.5, low: 0.4 },
  mendAt: 9,
  holdAt: 35,
  criticalHolds: true,
  damped: ["high", "medium", "low"],
};

export const maintainabilityProfile = {
  name: "maintainability-expert",
  description: "Judges a project from the side of those who will have to change it.",
  stance: "maintainability-first",
  viewpoint: "the side of those who will have to change it",
  bias: maintainabilityBias,
  checks: [complexity, tests, duplication, importCycles, strictness, debt, hotspots],
};

/**
 * Examines complexity, duplication, tests, types, cycles and history, with a bias for easy change.
 * Shape: an agent definition offering `decision.opinion`. Errors: fails with `project/not-a-folder`.
 * @example
 * ```ts
 * import { maintainabilityExpert } from "troupe/agents";
 * maintainabilityExpert.name; // "maintainability-expert"
 * ```
 */
export const maintainabilityExpert = defineExpert(maintainabilityProfile);
