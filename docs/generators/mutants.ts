import { mutants } from "../../test/simulation/mutants.ts";
import { type Generator, writeTable } from "./generator.ts";

/** The mutation table of the simulator; \`test/simulation/mutants.test.ts\` holds it to be true. */
export const mutationTable: Generator = {
  file: "docs/simulation.md",
  marker: "mutants",
  render: () =>
    writeTable(
      ["mutant", "what the changed code does", "killed by seed", "rule"],
      mutants.map(({ name, fault, seed, rule }) => [`\`${name}\``, fault, String(seed), rule]),
    ),
};
