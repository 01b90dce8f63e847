import { scenarioTable as rows } from "../../test/consensus/scenario-table.ts";
import { type Generator, writeTable } from "./generator.ts";

/** CometBFT's scenarios; \`test/consensus/scenario-table.test.ts\` holds that each named test is there. */
export const scenarioTable: Generator = {
  file: "docs/faults.md",
  marker: "scenarios",
  render: () =>
    writeTable(
      ["CometBFT's test", "here", "rule", "file", "what differs, or why it is not here"],
      rows.map(({ theirs, name, rule = "", file, remark = "" }) => [
        theirs,
        name === undefined ? "none" : `\`${name}\``,
        rule,
        file === undefined ? "" : `\`${file}\``,
        remark,
      ]),
    ),
};
