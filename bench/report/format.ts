import type { Report, Row } from "../suite.ts";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** A figure for people: whole from a hundred on, three digits below. */
export function formatFigure(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 100 ? whole.format(value) : fine.format(value);
}

function versusCells(row: Row): readonly (readonly string[])[] {
  if (row.versus === undefined || row.versus.length === 0) return [["", "", ""]];
  return row.versus.map(({ name, ratio, wallRatio }) => [name, formatFigure(ratio), formatFigure(wallRatio)]);
}

/** One line of cells for each row and each thing that it is held against. */
function rowCells(row: Row): string[][] {
  return versusCells(row).map((versus, index) =>
    index === 0
      ? [row.name, formatFigure(row.value), formatFigure(row.wall), row.unit, ...versus]
      : ["", "", "", "", ...versus],
  );
}

/** A table as rows of cells, the first of which is its head. */
export type Table = readonly (readonly string[])[];

export function rowsTable(report: Report): Table {
  return [
    ["what", "ours, CPU", "ours, wall", "unit", "against", "ratio, CPU", "ratio, wall"],
    ...report.rows.flatMap(rowCells),
  ];
}

export function targetsTable(report: Report): Table {
  return [
    ["target", "wanted", "measured", "met"],
    ...report.targets.map(({ name, target, value, met, reason }) => [
      name,
      target,
      value === null ? (reason ?? "–") : formatFigure(value),
      met ? "yes" : "no",
    ]),
    ...report.skipped.map(({ name, reason }) => [name, "", reason, "skipped"]),
  ];
}

/** Aligned columns for a terminal. */
export function toText(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function toMarkdown(table: Table): string {
  const [head = [], ...body] = table;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}
