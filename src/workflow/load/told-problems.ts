/** Problems that the message of refused definitions names; all of them are in its data. */
const toldProblemsMax = 20;

/** The first problems, a line each, and how many more there are. */
export function tellProblems(lines: readonly string[]): string {
  const told = lines.slice(0, toldProblemsMax).map((line) => `\n  ${line}`);
  return told.join("") + (lines.length > told.length ? `\n  and ${lines.length - told.length} more` : "");
}
