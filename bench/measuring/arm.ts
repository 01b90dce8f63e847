/** One figure of one arm, by two clocks. */
export interface Reading {
  /** By the CPU clock of the whole process where it was timed; a plain figure otherwise. */
  readonly value: number;
  readonly wall?: number;
}

export type Readings = { readonly [name: string]: Reading };

export interface Scale {
  readonly quick: boolean;
  /** How long each region is measured at least, in milliseconds of CPU time. */
  readonly regionMs: number;
}

/** Something measured in a process of its own, so that no arm shares compiled code or garbage with another. */
export type Arm = (scale: Scale) => Promise<Readings>;

export interface ArmEntry {
  /** Loads the arm; only the chosen arm's imports reach its process. */
  readonly load: () => Promise<Arm>;
  /** Further flags for its Node.js process. */
  readonly flags?: readonly string[];
  /** Left out of a quick run. */
  readonly fullOnly?: boolean;
  /** When it is stopped, in milliseconds; default 30,000. */
  readonly limitMs?: number;
  /** Runs in this many rounds only: the first ones. */
  readonly repeats?: number;
}

export type ArmTable = { readonly [name: string]: ArmEntry };
