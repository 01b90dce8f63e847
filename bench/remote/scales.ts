/** How many are asked at once, and how long their texts are. Source: the issue "Remote actors", speed to reach. */
export interface Cell {
  readonly name: string;
  readonly inFlight: number;
  readonly bytes: number;
}

export const busyCell: Cell = { name: "64 × 100 B", inFlight: 64, bytes: 100 };
export const cells: readonly Cell[] = [
  { name: "1 × 100 B", inFlight: 1, bytes: 100 },
  busyCell,
  { name: "64 × 4 KiB", inFlight: 64, bytes: 4_096 },
];

/** Length of a message that nothing answers. */
export const oneWayBytes = 100;
/** Messages that may be on their way: peers without a bound of their own would be filled, and ours must take the question for the count too. */
export const oneWayAheadMax = 3_500;
/** Messages without acknowledgement when a connection is cut. */
export const resumedCount = 1_000;
/** Links that say nothing. */
export const idleLinks = 10_000;
/** How long a stalled peer is written to. */
export const stallMs = 3_000;
/** The secret of two processes that measure, and of nothing else. */
export const token = "two processes of one benchmark";
