import type { CommandIo } from "./command.ts";

/** One line of live progress. */
export interface ProgressLine {
  readonly name: string;
  /** 0 to 1, where it is known. */
  readonly fraction?: number | undefined;
  readonly note: string;
}

const barCells = 20;
/** Moving lines on the screen at once; beyond it their number is told. */
const linesMax = 12;
const clearLine = "\u001B[2K";

function bar(fraction: number | undefined): string {
  if (fraction === undefined) return " ".repeat(barCells + 7);
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * barCells);
  const percent = `${Math.round(fraction * 100)}`.padStart(3);
  return `[${"#".repeat(full)}${".".repeat(barCells - full)}] ${percent}%`;
}

/**
 * Shows how several things get on: lines that are rewritten in place in a terminal, and elsewhere one plain line
 * for each change of a note.
 */
export class ProgressBoard {
  readonly #io: CommandIo;
  readonly #lines = new Map<string, ProgressLine>();
  #drawn = 0;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  show(line: ProgressLine): void {
    const before = this.#lines.get(line.name);
    this.#lines.set(line.name, line);
    if (this.#io.isTerminal) this.#redraw();
    else if (before?.note !== line.note) this.#io.err(`${line.name}: ${line.note}\n`);
  }

  /** Takes one line away; what it came to is for `say`. */
  drop(name: string): void {
    if (!this.#lines.delete(name)) return;
    if (this.#io.isTerminal) this.#redraw();
  }

  /** A line that stays, above the moving ones. */
  say(text: string): void {
    if (this.#io.isTerminal) this.#erase();
    this.#io.err(`${text}\n`);
    if (this.#io.isTerminal) this.#redraw();
  }

  /** Takes the moving lines away. */
  close(): void {
    if (this.#io.isTerminal) this.#erase();
    this.#lines.clear();
  }

  #erase(): void {
    if (this.#drawn > 0)
      this.#io.err(`\u001B[${this.#drawn}A${`${clearLine}\n`.repeat(this.#drawn)}\u001B[${this.#drawn}A`);
    this.#drawn = 0;
  }

  #redraw(): void {
    this.#erase();
    const all = [...this.#lines.values()];
    const lines = all.slice(0, linesMax);
    const width = Math.max(0, ...lines.map((line) => line.name.length));
    const columns = process.stderr.columns ?? 100;
    for (const line of lines)
      this.#io.err(`${`${line.name.padEnd(width)} ${bar(line.fraction)} ${line.note}`.slice(0, columns - 1)}\n`);
    const hidden = all.length - lines.length;
    if (hidden > 0) this.#io.err(`and ${hidden} more\n`);
    this.#drawn = lines.length + (hidden > 0 ? 1 : 0);
  }
}
