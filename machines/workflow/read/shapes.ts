import { z } from "zod";
import type { KindTable, StepKind } from "../kinds/kind.ts";
import {
  durationSchema,
  effectClasses,
  expressionSchema,
  jsonSchemaSchema,
  priorities,
  stepsSchema,
  targetShape,
  templateSchema,
} from "../schema/values.ts";

/** What authors may write, as zod schemas: the fields of a definition, of every step, and of each kind. */

export const retrySchema = z
  .union([
    z.int().min(1),
    z.enum(["none", "linear", "exponential"]),
    z.strictObject({
      attempts: z.int().min(1).max(1_000).optional(),
      maxAttempts: z.int().min(1).max(1_000).optional(),
      strategy: z.enum(["none", "linear", "exponential"]).optional(),
      first: durationSchema.optional(),
      firstMs: durationSchema.optional(),
      interval: durationSchema.optional(),
      baseDelay: durationSchema.optional(),
      max: durationSchema.optional(),
      maxMs: durationSchema.optional(),
      maxDelay: durationSchema.optional(),
      rate: z.number().min(1).max(100).optional(),
      backoffRate: z.number().min(1).max(100).optional(),
      jitter: z.union([z.boolean(), z.number().min(0).max(1)]).optional(),
      errors: z.union([z.string(), z.array(z.string())]).optional(),
    }),
  ])
  .meta({ id: "retry", description: "Attempts in all, a strategy, or both with their delays." });

const codesSchema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const fallbackSchema = z.union([
  z.string().min(1),
  z.strictObject({ ...targetShape, input: templateSchema.optional() }),
]);

export const errorRouteSchema = z
  .strictObject({
    error: codesSchema.optional(),
    when: expressionSchema.optional(),
    action: z.enum(["next", "continue", "fallback", "rollback", "fail", "ignore", "abort"]).optional(),
    next: z.string().optional(),
    result: templateSchema.optional(),
    fallback: fallbackSchema.optional(),
  })
  .meta({ id: "errorRoute", description: "What follows a failure with one of these codes." });

const nextSchema = z
  .union([
    z.string().min(1),
    z.null(),
    z.array(z.strictObject({ when: expressionSchema.optional(), to: z.string().min(1) })).min(1),
  ])
  .meta({ id: "next", description: "The step to go on at, `$end`, `$fail`, an expression for one, or choices." });

/** Fields that every step may have. */
export const stepShape = {
  id: z.string().min(1),
  name: z.string().optional(),
  type: z.string().optional(),
  description: z.string().optional(),
  condition: expressionSchema.optional(),
  output: z.record(z.string(), templateSchema).optional(),
  schema: jsonSchemaSchema.optional(),
  next: nextSchema.optional(),
  onError: z.union([z.string(), errorRouteSchema, z.array(errorRouteSchema)]).optional(),
  retry: retrySchema.optional(),
  timeout: durationSchema.optional(),
  sla: durationSchema.optional(),
  compensate: z
    .union([
      z.string().min(1),
      z.strictObject({ ...targetShape, input: templateSchema.optional(), retry: retrySchema.optional() }),
    ])
    .optional(),
  checkpoint: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
};

/** Fields of a definition. */
export const definitionShape = {
  $schema: z.string().optional(),
  key: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  version: z.union([z.string(), z.number()]).optional(),
  tags: z.array(z.string()).optional(),
  input: jsonSchemaSchema.optional(),
  output: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
  result: templateSchema.optional(),
  variables: z.record(z.string(), templateSchema).optional(),
  env: z.array(z.string().regex(/^[A-Za-z_]\w*$/, "must be names of environment variables")).optional(),
  steps: stepsSchema,
  errorHandlers: z
    .array(z.strictObject({ error: codesSchema.optional(), handler: z.string().min(1), retry: retrySchema.optional() }))
    .optional(),
  timeoutMs: durationSchema.optional(),
  slaMs: durationSchema.optional(),
  priority: z.enum(priorities).optional(),
  concurrency: z.int().min(1).optional(),
  rate: z
    .strictObject({ runs: z.int().min(1), per: durationSchema.optional(), perMs: durationSchema.optional() })
    .optional(),
  defaults: z
    .strictObject({
      retry: retrySchema.optional(),
      timeout: durationSchema.optional(),
      effect: z.enum(effectClasses).optional(),
    })
    .optional(),
  triggers: z
    .array(
      z.strictObject({
        event: z.string().min(1),
        match: expressionSchema.optional(),
        condition: z.string().optional(),
        handler: z.string().min(1).optional(),
      }),
    )
    .optional(),
  schedules: z
    .array(
      z.strictObject({
        cron: z.string().min(1).optional(),
        every: durationSchema.optional(),
        everyMs: durationSchema.optional(),
        timeZone: z.string().optional(),
        input: z.unknown().optional(),
      }),
    )
    .optional(),
};

export const definitionSchema = z.strictObject(definitionShape);

const stepSchemas = new WeakMap<StepKind, z.ZodObject>();

/** The schema of the steps of one kind. */
export function stepSchemaOf(kind: StepKind): z.ZodObject {
  const known = stepSchemas.get(kind);
  if (known !== undefined) return known;
  const schema = z.strictObject({ ...stepShape, ...kind.shape });
  stepSchemas.set(kind, schema);
  return schema;
}

/** Names that `type` may have in definitions besides those of the table. */
export const kindAliases: ReadonlyMap<string, string> = new Map([["branch", "decision"]]);

/** The kind that a step without `type` can only be: the one whose own field it has. */
export function inferKind(step: { readonly [field: string]: unknown }, kinds: KindTable): string | undefined {
  const named = [...kinds.keys()].filter((name) => name in step);
  if (named.length === 1) return named[0];
  const isTask = "capability" in step || "agent" in step || "mode" in step;
  return named.length === 0 && isTask ? "task" : undefined;
}
