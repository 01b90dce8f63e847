import { boundsOf, twoThirds } from "../../machines/consensus/electorate/threshold.ts";
import { type Generator, writeTable } from "./generator.ts";

/** The sizes that the guide shows: the smallest panel that can lose a voter, and what people really seat. */
const sizes = Array.from({ length: 10 }, (_, index) => index + 3);

function describeSize(n: number): readonly string[] {
  const strict = boundsOf(twoThirds, n);
  const majority = boundsOf({ num: 1, den: 2, strict: true }, n);
  const seed = boundsOf({ num: 67, den: 100, strict: false }, n);
  return [
    n,
    strict.q,
    strict.fSafe,
    strict.fLive,
    Math.max(0, Math.min(strict.fSafe, strict.fLive)),
    seed.q,
    majority.q,
    majority.fSafe,
    majority.fLive,
  ].map(String);
}

export const thresholds: Generator = {
  file: "docs/guide/consensus.md",
  marker: "thresholds",
  render: () =>
    writeTable(
      [
        "n",
        "q at >2/3",
        "F_safe",
        "F_live",
        "faults it stands",
        "q at 0.67",
        "q at >1/2",
        "F_safe at >1/2",
        "F_live at >1/2",
      ],
      sizes.map(describeSize),
    ),
};
