import { isJsonRecord, type JsonRecord } from "../json.ts";
import type { Dialect } from "./dialect.ts";
import { stepForms } from "./step-forms.ts";

/** The user's document 000: steps with `action`, and a `strategy` that says how often. */
export const actionsDialect: Dialect = {
  name: "actions",
  summary: "`steps` with `action` and `parameters`, and a `strategy` beside them.",
  matches(document) {
    const { steps, strategy } = document;
    const isAction = (step: unknown): boolean =>
      isJsonRecord(step as JsonRecord) && stepForms.some((form) => form.matches(step as JsonRecord));
    return strategy !== undefined && Array.isArray(steps) && steps.length > 0 && steps.every(isAction);
  },
  read(document, { problems }) {
    const { strategy, ...rest } = document;
    if (typeof strategy !== "string") problems.error("definition/wrong-value", ["strategy"], "must be a string");
    else if (strategy === "continuous")
      problems.warn(
        "definition/assumed",
        ["strategy"],
        "assumed that each start is one run; to run again and again, add schedules: [{ every: 5 min }] or triggers",
      );
    else
      problems.warn(
        "definition/assumed",
        ["strategy"],
        `nothing is known of the strategy ${JSON.stringify(strategy)}: assumed that the steps run in the order of the list`,
      );
    return { definitions: [{ document: rest, path: [] }] };
  },
};
