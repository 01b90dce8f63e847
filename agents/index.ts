import { businessExpert } from "./business/expert.ts";
import { maintainabilityExpert } from "./maintainability/expert.ts";
import { performanceExpert } from "./performance/expert.ts";
import { securityExpert } from "./security/expert.ts";
import { userExperienceExpert } from "./user-experience/expert.ts";

export { businessExpert, maintainabilityExpert, performanceExpert, securityExpert, userExperienceExpert };

/**
 * The five experts of the main job, in the order of their reports. Each offers `decision.opinion`.
 * Source: the user's document "Distributed Consensus Pattern", its five agent types and their biases.
 * @example
 * ```ts
 * import { experts } from "troupe/agents";
 * const names = experts.map((expert) => expert.name);
 * ```
 */
export const experts = [
  securityExpert,
  performanceExpert,
  maintainabilityExpert,
  businessExpert,
  userExperienceExpert,
] as const;
