import { defineExpert } from "../expert.ts";
import type { Bias } from "../judgement.ts";
import { dangerousCalls } from "./calls.ts";
import { installScripts, lockfiles } from "./dependencies.ts";
import { dangerousLines } from "./lines.ts";
import { automation, securityPolicy } from "./practice.ts";
import { secretFiles, secretsInText } from "./secrets.ts";

/**
 * Security first. One high finding (a command built from text, verification switched off) is by itself a reason to
 * mend (6); it takes five, or a heap of lesser ones, to hold (30). A secret that lies open is critical: it
 * is lost whatever else is fine, so one holds. Low findings are habits: a dozen kinds of them make one high.
 */
export const securityBias: Bias = {
  points: { critical: 20, high: 6, medium: 2, low: 0.5 },
  mendAt: 6,
  holdAt: 30,
  criticalHolds: true,
  damped: ["medium", "low"],
};

export const securityProfile = {
  name: "security-expert",
  description: "Judges a project from the side of those who would be harmed by an attack.",
  stance: "security-first",
  viewpoint: "the side of those who would be harmed by an attack",
  bias: securityBias,
  checks: [
    secretsInText,
    secretFiles,
    dangerousCalls,
    dangerousLines,
    installScripts,
    lockfiles,
    automation,
    securityPolicy,
  ],
};

/**
 * Examines secrets, dangerous calls, install scripts, lockfiles and automation, with a bias for safety.
 * Shape: an agent definition offering `decision.opinion`. Errors: fails with `project/not-a-folder`.
 * @example
 * ```ts
 * import { securityExpert } from "troupe/agents";
 * securityExpert.name; // "security-expert"
 * ```
 */
export const securityExpert = defineExpert(securityProfile);
