import { faultMatrix } from "../../test/consensus/fault-matrix.ts";
import { properties } from "../../test/consensus/property-matrix.ts";
import { type Generator, writeTable } from "./generator.ts";

/** The files of the tests that are named, each once. */
function filesOf(shown: readonly (readonly [string, string])[]): string {
  return [...new Set(shown.map(([file]) => `\`${file}\``))].join(", ");
}

/** The fault matrix and the properties; \`test/consensus/fault-matrix.test.ts\` holds that each named test is there. */
export const faultTable: Generator = {
  file: "docs/faults.md",
  marker: "faults",
  render: () =>
    [
      writeTable(
        ["row", "what is faulty", "what must happen", "tests"],
        faultMatrix.map(({ row, fault, expected, shown }) => [String(row), fault, expected, filesOf(shown)]),
      ),
      "",
      writeTable(
        ["property", "what must hold", "tests"],
        properties.map(({ property, holds, shown }) => [property, holds, filesOf(shown)]),
      ),
    ].join("\n"),
};
