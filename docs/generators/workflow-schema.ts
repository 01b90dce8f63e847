import { builtinKinds } from "../../machines/workflow/kinds/table.ts";
import { writeDefinitionSchema } from "../../machines/workflow/read/json-schema.ts";
import type { Generator } from "./generator.ts";

/** What editors complete and check definitions with; made from the schemas that definitions are read with. */
export const workflowSchema: Generator = {
  file: "docs/workflow.schema.json",
  render: () => `${JSON.stringify(writeDefinitionSchema(builtinKinds), undefined, 2)}\n`,
};
