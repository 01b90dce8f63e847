import { defineExpert } from "../expert.ts";
import type { Bias } from "../judgement.ts";
import { dependencyHealth } from "./dependencies.ts";
import { dependencyLicences, licence } from "./licences.ts";
import { metadata, packaging } from "./metadata.ts";
import { changeLog, ownership, rhythm } from "./release.ts";

/**
 * Value first: may it be used, will it be kept up, can it be found and installed? Without a licence nobody may use
 * it, so that alone holds. One high finding (a licence that conflicts, a project left behind) is a reason to
 * mend (5), four hold (20). Low findings cost users time rather than trust: seven kinds of them make one high.
 */
export const businessBias: Bias = {
  points: { critical: 20, high: 5, medium: 2, low: 0.7 },
  mendAt: 5,
  holdAt: 20,
  criticalHolds: true,
  damped: ["medium", "low"],
};

export const businessProfile = {
  name: "business-expert",
  description: "Judges a project by what it is worth to those who would rely on it.",
  stance: "value-first",
  viewpoint: "what it is worth to those who would rely on it",
  bias: businessBias,
  checks: [licence, dependencyLicences, rhythm, changeLog, metadata, packaging, dependencyHealth, ownership],
};

/**
 * Examines licences, release rhythm, package metadata and dependencies, with a bias for value.
 * Shape: an agent definition offering `decision.opinion`. Errors: fails with `project/not-a-folder`.
 * @example
 * ```ts
 * import { businessExpert } from "troupe/agents";
 * businessExpert.name; // "business-expert"
 * ```
 */
export const businessExpert = defineExpert(businessProfile);
