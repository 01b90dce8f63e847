import { defineExpert } from "../expert.ts";
import type { Bias } from "../judgement.ts";
import { accessibility } from "./accessibility.ts";
import { commandHelp, errorMessages } from "./messages.ts";
import { documents } from "./documents.ts";
import { readme } from "./readme.ts";
import { shippedTypes } from "./shipped-types.ts";

/**
 * Users first: can a newcomer understand it, start it and get unstuck? No README at all (high) or a handful of
 * medium obstacles are a reason to mend (6); it takes five high ones to hold (30), for a work that is merely hard to
 * approach can still be used. Low findings are stumbles: about twelve kinds of them make one high.
 */
export const userExperienceBias: Bias = {
  points: { critical: 20, high: 6, medium: 2, low: 0.5 },
  mendAt: 6,
  holdAt: 30,
  criticalHolds: false,
  damped: ["medium", "low"],
};

export const userExperienceProfile = {
  name: "user-experience-expert",
  description: "Judges a project from the side of the people who will use it.",
  stance: "user-first",
  viewpoint: "the side of the people who will use it",
  bias: userExperienceBias,
  checks: [readme, documents, shippedTypes, commandHelp, errorMessages, accessibility],
};

/**
 * Examines README, documents, types, help, error messages and accessibility, with a bias for users.
 * Shape: an agent definition offering `decision.opinion`. Errors: fails with `project/not-a-folder`.
 * @example
 * ```ts
 * import { userExperienceExpert } from "troupe/agents";
 * userExperienceExpert.name; // "user-experience-expert"
 * ```
 */
export const userExperienceExpert = defineExpert(userExperienceProfile);
