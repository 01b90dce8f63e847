import { readFileSync } from "node:fs";

/** One call of an agent. */
export interface EffectLine {
  readonly at: number;
  readonly life: number;
  readonly key: string;
  readonly order: number;
  readonly op: string;
}

/** One thing that a life asked for, or was told. */
export interface OrderLine {
  readonly order: number;
  readonly said: "asked" | "accepted" | "ended";
  readonly run?: string;
  readonly outcome?: unknown;
}

/** The lines of a log; one that a kill cut off in the middle is no line. */
export function readLines<Line>(file: string): readonly Line[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line) => {
    if (line === "") return [];
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
