/** One generated document, or one part of a document that people write. */
export interface Generator {
  /** Relative to the root. */
  readonly file: string;
  /** Writes only between `<!-- marker:begin -->` and `<!-- marker:end -->`; left out, the whole file is generated. */
  readonly marker?: string;
  /** Returns the text in Markdown; the same source always gives the same text. */
  render(): string | Promise<string>;
}

/** Writes a Markdown table; pipes inside cells are escaped. */
export function writeTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
