import { z } from "zod";
import { nameLengthMax, optionsMax, questionLengthMax } from "../../../machines/consensus/codec/messages.ts";

/** Longest label of an option, in UTF-16 units. */
export const optionLabelLengthMax = 2_000;

/** The capability a voter offers: it takes a decision and answers with its opinion. */
export const opinionCapability = "decision.opinion";

/**
 * A question put to a voter. Options are listed from the boldest to the most cautious where that has a meaning.
 * `context.folder`, or an option's `folder`, is a project folder to examine.
 */
export const decisionQuestion = z.object({
  decisionId: z.string().max(nameLengthMax),
  description: z.string().max(questionLengthMax),
  options: z
    .array(
      z.object({
        id: z.string().min(1).max(nameLengthMax),
        label: z.string().max(optionLabelLengthMax).optional(),
        folder: z.string().optional(),
        payload: z.json().optional(),
      }),
    )
    .min(1)
    .max(optionsMax),
  context: z.record(z.string(), z.json()).default({}),
  constraints: z.array(z.string().max(2_000)).max(64).default([]),
});

/** Most UTF-16 units of each text of an opinion. */
export const opinionLengthsMax = {
  recommendation: 200,
  reasoning: 65_536,
  message: 2_000,
  file: 4_096,
  figure: 500,
  rule: 200,
} as const;
/** Most concerns of one opinion. */
export const concernsMax = 1_000;

/** One thing a voter worries about, with where and how much. */
export const concern = z.strictObject({
  message: z.string().min(1).max(opinionLengthsMax.message),
  severity: z.enum(["critical", "high", "medium", "low"]).default("medium"),
  /** Relative to the examined folder. */
  file: z.string().max(opinionLengthsMax.file).optional(),
  line: z.int().min(1).optional(),
  /** The measured number behind the concern, with its unit: "41 commits in 90 days". */
  figure: z.string().max(opinionLengthsMax.figure).optional(),
  rule: z.string().max(opinionLengthsMax.rule).optional(),
});

/**
 * What a voter fills in. `recommendation` is an option id, or "abstain" (then confidence is null).
 * `approves` lists every option the voter could live with; left out, it approves its recommendation only.
 * A field that is not here makes it malformed: what it may be meant for is nothing to guess at.
 */
export const opinion = z.strictObject({
  recommendation: z.string().min(1).max(opinionLengthsMax.recommendation),
  approves: z.array(z.string().max(200)).max(64).optional(),
  /** Where options are ranked: tiers of equals, best first; left out, the recommendation, then what else it approves. */
  ranking: z
    .array(z.array(z.string().max(200)).min(1).max(64))
    .min(1)
    .max(64)
    .optional(),
  /** Where options are graded: 0 (rejected) to 100 for each; an option without a grade gets 0. */
  grades: z.record(z.string().max(200), z.int().min(0).max(100)).optional(),
  confidence: z.number().min(0).max(1).nullable(),
  reasoning: z.string().max(opinionLengthsMax.reasoning).default(""),
  concerns: z.array(concern).max(concernsMax).default([]),
  alternatives: z
    .array(z.strictObject({ id: z.string().min(1).max(200), description: z.string().max(2_000) }))
    .max(3)
    .default([]),
});

/** A question as a voter receives it. */
export type DecisionQuestion = z.output<typeof decisionQuestion>;
/** One thing a voter worries about, with its evidence. */
export type Concern = z.output<typeof concern>;
/** What a voter fills in. */
export type Opinion = z.output<typeof opinion>;
