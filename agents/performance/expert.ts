import { defineExpert } from "../expert.ts";
import type { Bias } from "../judgement.ts";
import { slowCalls, slowLines } from "./calls.ts";
import { slowPatterns } from "./patterns.ts";
import { shippedWeight } from "./weight.ts";

/**
 * Speed first, yet slow code still works: one high finding (a pattern that can hang) and one medium together are a
 * reason to mend (8), and only a heap of them, about eight high ones, to hold (40). Low findings are costs that
 * matter only on a hot path, which reading cannot tell, so twenty kinds of them make one high. Nothing is critical.
 */
export const performanceBias: Bias = {
  points: { critical: 20, high: 6, medium: 2, low: 0.3 },
  mendAt: 8,
  holdAt: 40,
  criticalHolds: false,
  damped: ["medium", "low"],
};

export const performanceProfile = {
  name: "performance-expert",
  description: "Judges a project by the time and memory it will take.",
  stance: "speed-first",
  viewpoint: "the time and memory that it will take",
  bias: performanceBias,
  checks: [slowCalls, slowPatterns, slowLines, shippedWeight],
};

/**
 * Examines slow calls, patterns that can hang, and what is shipped, with a bias for speed.
 * Shape: an agent definition offering `decision.opinion`. Errors: fails with `project/not-a-folder`.
 * @example
 * ```ts
 * import { performanceExpert } from "troupe/agents";
 * performanceExpert.name; // "performance-expert"
 * ```
 */
export const performanceExpert = defineExpert(performanceProfile);
