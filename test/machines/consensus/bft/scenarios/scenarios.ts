import { locks } from "./locks.ts";
import { proposals } from "./proposals.ts";
import { rounds } from "./rounds.ts";
import { play, written, type Scenario } from "./transcript.ts";
import { votes } from "./votes.ts";

/** Every scenario that is told to one member. */
export const scenarios: readonly Scenario[] = [...proposals, ...locks, ...rounds, ...votes];

/** The scenarios that do not come out as written. */
export function failing(): string[] {
  return scenarios.flatMap((scenario) => {
    try {
      return play(scenario) === written(scenario) ? [] : [scenario.name];
    } catch {
      // A member that throws does not do what is written either.
      return [scenario.name];
    }
  });
}
