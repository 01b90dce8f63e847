import { duplicateEvidence, type Amnesia, type DuplicateStatement } from "../bft/evidence.ts";
import type { Statement, Vote } from "../bft/statement.ts";
import { totalWeightOf, type Electorate } from "../electorate/electorate.ts";
import { nameOfStatement } from "./transcript.ts";

/** Prevotes of more than two thirds of the weight for one value, of one decision. */
export interface Polka {
  readonly round: number;
  readonly value: string;
  readonly validRound: number;
  /** In order of voter. */
  readonly votes: readonly Vote[];
}

/** Whether these members hold more than two thirds of the weight; each counts once. */
export function isTwoThirds(voters: ReadonlySet<number>, { members }: Electorate): boolean {
  return 3 * totalWeightOf(members.filter((_, index) => voters.has(index))) > 2 * totalWeightOf(members);
}

/** Whoever signed two different statements of one kind in one round of one decision; each such deed once. */
export function findDoubles(statements: readonly Statement[]): DuplicateStatement[] {
  // By place, the two contents that come first by name, whatever the order in which they were heard: somebody may have
  // signed thousands for one place.
  const places = new Map<string, (readonly [name: string, statement: Statement])[]>();
  for (const statement of statements) {
    const { decision, kind, round, voter } = statement;
    const place = [decision, kind, round, voter].join("/");
    const name = nameOfStatement(statement);
    const said = places.get(place) ?? [];
    if (said.some(([known]) => known === name)) continue;
    const first = [...said, [name, statement] as const].sort(([one], [other]) => (one < other ? -1 : 1)).slice(0, 2);
    places.set(place, first);
  }
  return [...places.values()].flatMap(([first, second]) =>
    first === undefined || second === undefined ? [] : [duplicateEvidence(first[1], second[1])],
  );
}

/** Every polka for a value, as the statements show it. */
export function findPolkas(statements: readonly Statement[], electorate: Electorate): Polka[] {
  const contents = new Map<string, Map<number, Vote>>();
  for (const statement of statements) {
    if (statement.kind !== "prevote" || statement.value === null) continue;
    const content = [statement.decision, statement.round, statement.value, statement.validRound].join("/");
    const votes = contents.get(content) ?? new Map<number, Vote>();
    contents.set(content, votes.set(statement.voter, statement));
  }
  return [...contents.values()].flatMap((byVoter) => {
    const votes = [...byVoter.values()].sort((left, right) => left.voter - right.voter);
    const [first] = votes;
    if (first === undefined || first.value === null || !isTwoThirds(new Set(byVoter.keys()), electorate)) return [];
    const { round, value, validRound } = first;
    return [{ round, value, validRound, votes }];
  });
}

/**
 * Who forgot its lock between two commits of different values, by the polkas of their decision: whoever is in the earlier
 * commit, and in the first polka after it for another value, where that leans on nothing since. Never a later polka: an
 * honest member may have moved its lock by the first one. The accused alone can refute it, by an earlier polka that one
 * of them held. Source: consensus design §4.5 and §7, trap 3.
 */
export function findForgetful(
  commits: readonly [readonly Vote[], readonly Vote[]],
  polkas: readonly Polka[],
): Amnesia | undefined {
  const [left, right] = commits;
  const commit = (left[0]?.round ?? 0) <= (right[0]?.round ?? 0) ? left : right;
  const [place] = commit;
  if (place === undefined) return undefined;
  const others = polkas
    .filter(({ round, value }) => round > place.round && value !== place.value)
    .sort((one, other) => one.round - other.round || (one.value < other.value ? -1 : 1));
  const next = others.filter(({ round }) => round === others[0]?.round);
  const polka = next.find(({ validRound }) => validRound < place.round)?.votes;
  if (polka === undefined) return undefined;
  const committed = new Set(commit.map(({ voter }) => voter));
  const culprits = polka.map(({ voter }) => voter).filter((voter) => committed.has(voter));
  return { kind: "Amnesia", culprits, commit, polka };
}
