import { stringify } from "yaml";
import type { Definition } from "../../../machines/workflow/definition.ts";

/** The text of a definition in its normal form; reading it again gives the same definition. */
export function writeDefinition(definition: Definition, format: "json" | "yaml"): string {
  if (format === "json") return `${JSON.stringify(definition, undefined, 2)}\n`;
  // Aliases would read well for nobody, and long expressions are not to be folded.
  return stringify(definition, { aliasDuplicateObjects: false, lineWidth: 0 });
}
