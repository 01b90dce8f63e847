/** Longest name that is compared; longer ones are cut, so that a hostile name costs no more than a long one. */
const comparedMax = 64;
/** Most names that a suggestion lists when none is near. */
const listedMax = 12;

/** Edit distance with swaps of neighbours counted as one. Source: Damerau 1964, restricted form. */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_unused, at) => at);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1];
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      next.push(best);
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? 0;
}

/** The candidate most like `name`, or nothing when none is near enough to be a slip of the pen. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.slice(0, comparedMax).toLowerCase();
  let best: { name: string; score: number } | undefined;
  for (const candidate of candidates) {
    const other = candidate.slice(0, comparedMax).toLowerCase();
    if (Math.abs(other.length - wanted.length) > 3) continue;
    const score = distance(wanted, other);
    if (score <= Math.max(1, Math.floor(wanted.length / 3)) && (best === undefined || score < best.score))
      best = { name: candidate, score };
  }
  return best?.name;
}

/** "did you mean `x`?" where one is near, else the names there are. */
export function suggestName(name: string, candidates: readonly string[], place: string): string {
  const near = nearestName(name, candidates);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  if (candidates.length === 0) return `there is nothing ${place}`;
  const listed = candidates.slice(0, listedMax).map((candidate) => `\`${candidate}\``);
  const more = candidates.length > listedMax ? `, and ${candidates.length - listedMax} more` : "";
  return `${place} there is ${listed.join(", ")}${more}`;
}
