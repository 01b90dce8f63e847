import { owners, rooms } from "../../test/house/import-table.ts";
import { type Generator, writeTable } from "./generator.ts";

function code(names: readonly string[] = []): string {
  return names.map((name) => `\`${name}\``).join(" ");
}

function describeImports(row: (typeof rooms)[number]): string {
  const wide = { lower: `floors below ${row.floor ?? 0}`, anything: "anything" };
  const parts = [
    typeof row.imports === "string" ? wide[row.imports] : code(row.imports),
    row.beside === undefined ? "" : `beside it ${code(row.beside)}`,
    row.doors === undefined ? "" : `by name ${code(row.doors)}`,
    row.lazily === undefined ? "" : `lazily ${code(row.lazily)}`,
  ];
  return parts.filter((part) => part !== "").join("; ") || "nothing";
}

export const importRules: Generator = {
  file: "ARCHITECTURE.md",
  marker: "import-table",
  render: () => `${writeTable(
    ["floor", "room", "may import"],
    rooms.map((row) => [row.floor === undefined ? "" : String(row.floor), `\`${row.room}\``, describeImports(row)]),
  )}

${writeTable(
  ["package", "rooms that own it", "for"],
  owners.map((row) => [`\`${row.module}\``, code(row.rooms), row.why]),
)}

Agents bring libraries of their own, each with one owner room; agents, examples, tests, bench and docs may use any \`node:\` module.`,
};
