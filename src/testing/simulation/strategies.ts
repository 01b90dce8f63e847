import type { BftMessage } from "../../../machines/consensus/bft/messages.ts";
import type { Proposal, Vote } from "../../../machines/consensus/bft/statement.ts";
import type { Member } from "./member.ts";
import type { Coalition, MadeProposal, RoundSight } from "./opponent.ts";
import type { AdversaryName } from "./plan.ts";

/** When in a round the opponent acts: at its start, after proposals, after prevotes. */
type ActTurn = 0 | 1 | 2;

/** One way to break the protocol. */
export interface Strategy {
  readonly begin?: (coalition: Coalition) => void;
  readonly act?: (coalition: Coalition, round: number, turn: ActTurn) => void;
  readonly shape?: (coalition: Coalition, puppet: Member, message: BftMessage) => readonly BftMessage[];
}

/** A value that a faulty member makes up; some of them break the rules. */
function makeValue(coalition: Coalition, round: number, label: string): string {
  return `${coalition.world.dice.chance(10) ? "!" : ""}v${round}.${label}`;
}

function valueOf(sight: RoundSight, index = 0): string | null {
  return sight.proposals[index % Math.max(1, sight.proposals.length)]?.value ?? null;
}

function proposersAmong(coalition: Coalition, round: number): readonly number[] {
  return coalition.faulty.filter((member) => coalition.isProposer(member, round));
}

/** The last thing that somebody in this half prevoted in this round, or a proposal of it. */
function favouriteOf(
  coalition: Coalition,
  half: 0 | 1,
  sight: RoundSight,
): { value: string | null; validRound: number } {
  for (const member of coalition.halves[half]) {
    const vote = sight.prevotes.get(member);
    if (vote !== undefined && vote.value !== null) return { value: vote.value, validRound: vote.validRound };
  }
  const proposal = sight.proposals[half % Math.max(1, sight.proposals.length)];
  return { value: proposal?.value ?? null, validRound: proposal?.validRound ?? -1 };
}

const everyHalf = [0, 1] as const;

/** Two different proposals; sometimes of one value, with and without the earlier round that some prevoted it in. */
function twoContents(coalition: Coalition, member: number, round: number): readonly [MadeProposal, MadeProposal] {
  const validRound = round - 1;
  const earlier = round > 0 ? valueOf(coalition.sight(validRound)) : null;
  if (earlier !== null && coalition.world.dice.chance(40)) {
    return [
      { round, value: earlier },
      { round, value: earlier, validRound },
    ];
  }
  return [
    { round, value: makeValue(coalition, round, `${member}0`) },
    { round, value: makeValue(coalition, round, `${member}1`) },
  ];
}

/** Two proposals and two votes, one for each half, whatever the halves believe. */
const equivocate: Strategy = {
  act(coalition, round, turn) {
    const { halves } = coalition;
    if (turn === 0) {
      for (const member of proposersAmong(coalition, round)) {
        const contents = twoContents(coalition, member, round);
        for (const half of everyHalf) {
          coalition.propose(member, contents[half], halves[half]);
        }
      }
      return;
    }
    const sight = coalition.sight(round);
    for (const member of coalition.faulty) {
      for (const half of everyHalf) {
        const value = half === 1 && sight.proposals.length < 2 ? null : valueOf(sight, half);
        coalition.vote(member, { kind: turn === 1 ? "prevote" : "precommit", round, value }, halves[half]);
      }
    }
  },
};

/** Gives each half the votes it lacks for what it believes already: two quorums, if the weight allows. */
const split: Strategy = {
  act(coalition, round, turn) {
    const { halves, world } = coalition;
    if (turn === 0) return equivocate.act?.(coalition, round, turn);
    const sight = coalition.sight(round);
    for (const member of coalition.faulty) {
      for (const half of everyHalf) {
        const { value, validRound } = favouriteOf(coalition, half, sight);
        coalition.vote(member, { kind: "prevote", round, value, validRound }, halves[half]);
        if (turn === 2 || world.dice.chance(30)) {
          coalition.vote(member, { kind: "precommit", round, value }, halves[half]);
        }
      }
    }
  },
};

/** Votes for whatever is on the table, as if it had never locked; proposes anew in every round. */
const amnesia: Strategy = {
  act(coalition, round, turn) {
    const { halves, world } = coalition;
    if (turn === 0) {
      for (const member of proposersAmong(coalition, round)) {
        coalition.propose(member, { round, value: makeValue(coalition, round, `${member}n`) }, coalition.everybody);
      }
      return;
    }
    const proposal = coalition.sight(round).proposals[0];
    const value = proposal?.value ?? null;
    // Precommits for one half only: the others go on, and the forgetful follow them.
    const half = world.dice.chance(60) ? halves[round & 1] : undefined;
    const rest = coalition.everybody.filter((member) => half?.includes(member) === false);
    for (const member of coalition.faulty) {
      if (turn === 1) {
        coalition.vote(
          member,
          { kind: "prevote", round, value, validRound: proposal?.validRound ?? -1 },
          coalition.everybody,
        );
      } else {
        coalition.vote(member, { kind: "precommit", round, value }, half ?? coalition.everybody);
        if (rest.length > 0) coalition.vote(member, { kind: "precommit", round, value: null }, rest);
      }
    }
  },
};

/** Claims a polka that never was, in proposals and in votes. */
const fakePolka: Strategy = {
  act(coalition, round, turn) {
    const { dice } = coalition.world;
    const validRound = round > 0 ? dice.between(0, round - 1) : -1;
    if (turn === 0) {
      for (const member of proposersAmong(coalition, round)) {
        const value = dice.chance(50)
          ? makeValue(coalition, round, `${member}f`)
          : valueOf(coalition.sight(validRound));
        const content = { round, value: value ?? makeValue(coalition, round, `${member}f`), validRound };
        coalition.propose(member, content, coalition.everybody);
      }
      return;
    }
    const proposal = coalition.sight(round).proposals[0];
    for (const member of coalition.faulty) {
      const value = proposal?.value ?? null;
      if (turn === 1) {
        const leant = value === null ? -1 : (proposal?.validRound ?? -1);
        coalition.vote(member, { kind: "prevote", round, value, validRound: leant }, coalition.everybody);
      } else {
        coalition.vote(member, { kind: "precommit", round, value }, coalition.halves[round & 1] ?? []);
        coalition.vote(member, { kind: "precommit", round, value: null }, coalition.halves[(round + 1) & 1] ?? []);
      }
    }
  },
};

/** Proposes nil, and votes nil for anything else. */
const nilProposer: Strategy = {
  act(coalition, round, turn) {
    const { world, everybody } = coalition;
    for (const member of coalition.faulty) {
      if (turn === 0 && coalition.isProposer(member, round)) {
        const unsigned = { ...world.scope, kind: "proposal", voter: member, round, value: "", validRound: -1 } as const;
        // Nil has no place in a statement's type; only a faulty member writes it there.
        const nil = world.notary.sign<Proposal>({ ...unsigned, value: null as unknown as string });
        coalition.send({ type: "proposal", proposal: nil, polka: [] }, everybody);
      }
      if (turn > 0)
        coalition.vote(member, { kind: turn === 1 ? "prevote" : "precommit", round, value: null }, everybody);
    }
  },
};

/** Distinct statements in numbers, and rounds that are far away. */
const flood: Strategy = {
  act(coalition, round, turn) {
    const { dice } = coalition.world;
    const copies = 4;
    for (const member of coalition.faulty) {
      for (let copy = 0; copy < copies; copy += 1) {
        const value = `v${round}.${member}x${copy}`;
        if (turn === 0 && coalition.isProposer(member, round)) {
          for (const to of coalition.everybody) {
            // Each member hears another one first.
            coalition.propose(member, { round, value: `v${round}.${member}x${(copy + to) % copies}` }, [to]);
          }
        }
        const kind = dice.chance(50) ? "prevote" : "precommit";
        const far = round + dice.pick([0, 0, 1, 2, 3, 9, 60]);
        if (turn > 0) coalition.vote(member, { kind, round: far, value }, coalition.everybody);
      }
      if (turn === 2) {
        const sight = coalition.sight(round);
        coalition.send({ type: "transcript", votes: [...sight.prevotes.values()] }, coalition.everybody);
        for (const half of everyHalf) {
          const { value, validRound } = favouriteOf(coalition, half, sight);
          coalition.vote(member, { kind: "prevote", round, value, validRound }, coalition.halves[half]);
          coalition.vote(member, { kind: "precommit", round, value }, coalition.halves[half]);
        }
      }
    }
  },
};

/** Two correct instances with one key, each heard by one half. */
const twins: Strategy = {
  begin(coalition) {
    for (const member of coalition.faulty) {
      for (const half of everyHalf) coalition.raise(member, { targets: coalition.halves[half] });
    }
  },
};

/** A correct member until it dies. */
const crash: Strategy = {
  begin(coalition) {
    for (const member of coalition.faulty) {
      const puppet = coalition.raise(member);
      coalition.world.schedule(coalition.world.dice.below(1_500), () => puppet.die());
    }
  },
};

/** Proves a polka to one correct member alone, and is silent from then on. */
const hiddenLock: Strategy = {
  act(coalition, round, turn) {
    const { dice } = coalition.world;
    const isOver = round > 4;
    if (turn === 0 && !isOver) {
      for (const member of proposersAmong(coalition, round)) {
        coalition.propose(member, { round, value: `v${round}.${member}h` }, coalition.everybody);
      }
    }
    if (turn === 0 || isOver) return;
    const target = coalition.everybody[round % coalition.everybody.length] ?? 0;
    const { value, validRound } = favouriteOf(coalition, dice.chance(50) ? 0 : 1, coalition.sight(round));
    for (const member of coalition.faulty) {
      coalition.vote(member, { kind: "prevote", round, value, validRound }, [target]);
    }
  },
};

/** Statements of an earlier decision of the same members; correct ones signed them, so their signatures are good. */
function replayed(coalition: Coalition, round: number): readonly Vote[] {
  const { world } = coalition;
  return coalition.everybody.map((voter) => {
    const kind = world.dice.chance(50) ? "prevote" : "precommit";
    const content = { kind, voter, round, value: "vreplayed", validRound: -1 } as const;
    return world.notary.sign<Vote>({ decision: "another", electorate: world.scope.electorate, ...content });
  });
}

/** A statement in the name of somebody else, with a signature of its own. */
function forged(coalition: Coalition, round: number): Vote {
  const { dice, notary, scope } = coalition.world;
  const member = dice.pick(coalition.faulty);
  const value = valueOf(coalition.sight(round)) ?? `v${round}.forged`;
  const kind = dice.chance(50) ? "prevote" : "precommit";
  const own = notary.sign<Vote>({ ...scope, kind, voter: member, round, value, validRound: -1 });
  return { ...own, voter: dice.pick(coalition.everybody) };
}

/** A commit certificate that holds the votes of faulty members again and again. */
function padded(coalition: Coalition, round: number): BftMessage {
  const { notary, scope } = coalition.world;
  const value = `v${round}.padded`;
  const votes = coalition.faulty.flatMap((voter) =>
    Array.from({ length: 7 }, () =>
      notary.sign<Vote>({ ...scope, kind: "precommit", voter, round, value, validRound: -1 }),
    ),
  );
  return { type: "commit", commit: { round, value, votes } };
}

/** A correct member whose messages go wrong on the way: another round, another value, another voter, another time. */
const mutate: Strategy = {
  begin(coalition) {
    for (const member of coalition.faulty) coalition.raise(member);
  },
  act(coalition, round, turn) {
    const { dice } = coalition.world;
    if (turn !== 1) return;
    if (dice.chance(30))
      for (const vote of replayed(coalition, round)) coalition.send({ type: "vote", vote }, coalition.everybody);
    if (dice.chance(30)) coalition.send(padded(coalition, round), coalition.everybody);
    for (let copy = 0; copy < 3; copy += 1)
      coalition.send({ type: "vote", vote: forged(coalition, round) }, coalition.everybody);
  },
  shape(coalition, puppet, message) {
    const { dice, notary } = coalition.world;
    if (message.type !== "vote" || dice.chance(60)) return [message];
    const { sig: _, ...content } = message.vote;
    const round = Math.max(0, content.round + dice.pick([-1, 0, 1]));
    const value = dice.chance(50) ? content.value : valueOf(coalition.sight(Math.max(0, round - 1)));
    const validRound = content.kind === "prevote" && value !== null && dice.chance(20) ? round - 1 : -1;
    const vote = notary.sign<Vote>({ ...content, voter: puppet.index, round, value, validRound });
    return [{ type: "vote", vote }, ...(dice.chance(50) ? [message] : [])];
  },
};

/** Anything at any time to anybody. */
const random: Strategy = {
  act(coalition, round, turn) {
    const { dice } = coalition.world;
    for (const member of coalition.faulty) {
      const isItsTurn = coalition.isProposer(member, round);
      if (turn === 0 && dice.chance(isItsTurn ? 70 : 10)) {
        const validRound = round > 0 && dice.chance(30) ? dice.between(0, round - 1) : -1;
        const targets = coalition.everybody.filter(() => dice.chance(70));
        coalition.propose(member, { round, value: makeValue(coalition, round, `${member}r`), validRound }, targets);
        if (dice.chance(20)) nilProposer.act?.(coalition, round, turn);
      }
      for (let copy = 0; copy < 2; copy += 1) {
        const kind = dice.chance(50) ? "prevote" : "precommit";
        const at = Math.max(0, round + dice.pick([-1, 0, 0, 0, 1]));
        const value = dice.chance(30) ? null : valueOf(coalition.sight(at), dice.below(2));
        const targets = coalition.everybody.filter(() => dice.chance(60));
        coalition.vote(member, { kind, round: at, value }, targets);
      }
    }
  },
};

export const strategies: Readonly<Record<AdversaryName, Strategy>> = {
  crash,
  silent: {},
  equivocate,
  split,
  amnesia,
  "fake-polka": fakePolka,
  "nil-proposer": nilProposer,
  flood,
  twins,
  mutate,
  "hidden-lock": hiddenLock,
  random,
};
