import { decide } from "../../consensus/decide.ts";
import { createMember, createSigner } from "../../consensus/ed25519.ts";
import { abstention } from "../../consensus/proposal.ts";
import { signBallotBody } from "../../consensus/signing.ts";
import type { PlainBallot, RejectedBallot, TalliedBallots } from "../../consensus/tally-ballots.ts";
import type { Voter } from "../../consensus/voter.ts";
import { basisPoints } from "../../../machines/consensus/codec/messages.ts";
import { failure } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import { systemIds } from "../../ports/chance.ts";
import { systemClock } from "../../ports/clock.ts";
import { Observe } from "../../ports/observe.ts";
import { readPlainMembers, type BallotsFile } from "./ballots-file.ts";
import { readPlainEntries, requireAsked, type Asked } from "./tally-file.ts";

/** A voter that says what the file says, with a key made here; whoever has two ballots in the file signs both. */
function seat(member: ReturnType<typeof readPlainMembers>[number], ballots: readonly PlainBallot[]): Voter {
  const { id, weight, group, host } = member;
  const made = createMember({
    id,
    weight,
    ...(group === undefined ? {} : { group }),
    ...(host === undefined ? {} : { host }),
  });
  const [first] = ballots;
  return {
    ...made,
    opine: async () =>
      first === undefined
        ? { ok: false, failure: failure("call/cancelled", "the file holds no ballot of it that can be used") }
        : { ok: true, value: { recommendation: abstention, confidence: null, reasoning: first.reasoning } },
    ballots: (own) =>
      Promise.all(
        ballots.map(({ choice, confidence }) => {
          const points = confidence === null ? null : Math.round(confidence * basisPoints);
          return signBallotBody({ ...own.body, choice, confidence: points }, made.signer);
        }),
      ),
  };
}

/**
 * Lets the voters of a file agree: plain ballots are signed with keys made in this process, and each voter has a replica
 * here. The certificate then holds for the electorate with these keys. Errors: throws `usage/…`.
 */
export async function agreeOnFile(given: BallotsFile, asked: Asked): Promise<TalliedBallots> {
  if (given.isSigned)
    throw new TroupeError(
      "usage/bad-argument",
      "--mode bft: it takes plain ballots, whose keys are made here; signed ballots are for mode ballot",
    );
  const { question, options } = requireAsked(asked);
  const { method, entries } = readPlainEntries(given, { ...asked, options });
  const members = readPlainMembers(asked.file, given);
  const ids = new Set(members.map(({ id }) => id));
  const rejected: RejectedBallot[] = [];
  const ballotsOf = new Map<string, PlainBallot[]>();
  for (const [index, entry] of entries.entries()) {
    if ("reason" in entry) rejected.push({ index, reason: entry.reason, detail: entry.detail });
    else if (!ids.has(entry.voter))
      rejected.push({ index, reason: "unknownVoter", detail: `"${entry.voter}" is not in the electorate` });
    else {
      const before = ballotsOf.get(entry.voter) ?? [];
      if (before.length > 0)
        rejected.push({
          index,
          reason: "equivocation",
          detail: `${entry.voter} has cast another ballot already; its weight counts for no option`,
        });
      ballotsOf.set(entry.voter, [...before, entry]);
    }
  }
  const voters = members.map((member) => seat(member, ballotsOf.get(member.id) ?? []));
  const ports = { clock: systemClock, ids: systemIds, observe: new Observe(), coordinator: createSigner() };
  const decision = await decide(
    { close: "all", ...asked.policy, mode: "bft", method, question, options, voters },
    ports,
  );
  return { decision, rejected };
}
