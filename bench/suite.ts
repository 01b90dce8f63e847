/** One line of a suite's table. `value` is by the CPU clock of the process unless the row says otherwise. */
export interface Row {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  /** The same by the wall clock, where the row was timed. */
  readonly wall?: number;
  readonly versus?: readonly Versus[];
}

/** `ratio` is the median over the rounds of ours divided by theirs, taken in the same round. */
interface Versus {
  readonly name: string;
  readonly ratio: number | null;
  readonly wallRatio?: number;
}

export interface Target {
  readonly name: string;
  readonly value: number | null;
  /** A comparison and a number: ">= 10". */
  readonly target: string;
  readonly met: boolean;
  readonly reason?: string;
}

/** The document that `--json` prints. */
export interface Report {
  readonly suite: string;
  readonly nodeVersion: string;
  readonly repeats: number;
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Share of wall time in which something waited for a CPU, in percent; null where the system does not say. */
  readonly cpuPressure: number | null;
}

export interface RunMode {
  readonly quick: boolean;
  /** One line of progress for people. */
  readonly progress: (line: string) => void;
}

/** One suite: how it is run, and how its figures are to be read. */
export interface Suite {
  readonly name: string;
  /** Whether `bench/peers/<name>/` holds peers that must be installed first. */
  readonly hasPeers: boolean;
  /** Markdown: what exactly was measured, and how to read it. */
  readonly method: string;
  run(mode: RunMode): Promise<Report>;
}
