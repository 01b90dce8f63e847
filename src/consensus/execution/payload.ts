import { z } from "zod";
import { TroupeError } from "../../errors.ts";
import type { DecisionOption } from "../proposal.ts";

/** What an option stands for once it is certified: one call, or one run of a workflow. */
export const executionPayload = z.union([
  z.strictObject({ call: z.strictObject({ capability: z.string().min(1), input: z.json() }) }),
  z.strictObject({ workflow: z.strictObject({ key: z.string().min(1), input: z.json().default({}) }) }),
]);
/** What an option stands for once it is certified. */
export type ExecutionPayload = z.output<typeof executionPayload>;

/**
 * Says which option could not be carried out, before anybody votes.
 * Errors: throws `usage/invalid-options`, and what `checkWorkflow` throws for a key that no workflow has.
 */
export function checkPayloads(
  options: readonly (string | DecisionOption)[],
  checkWorkflow: (key: string) => void,
): void {
  for (const [index, option] of options.entries()) {
    const given = typeof option === "string" ? undefined : option.payload;
    if (given === undefined) continue;
    const payload = executionPayload.safeParse(given);
    if (!payload.success)
      throw new TroupeError(
        "usage/invalid-options",
        `options.${index}.payload: to be carried out it must be {call: {capability, input}} or {workflow: {key, input}}; leave it out where nothing is to be done`,
      );
    if ("workflow" in payload.data) checkWorkflow(payload.data.workflow.key);
  }
}
