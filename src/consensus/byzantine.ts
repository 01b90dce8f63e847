import { gradeMax, type Choice, type ProposalBody } from "../../machines/consensus/codec/messages.ts";
import { signBallotBody } from "./signing.ts";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { signStatement } from "./bft/statement-signing.ts";
import { readMessage } from "./bft/wire.ts";
import type { Voter } from "./voter.ts";

/** A choice that contradicts the voter's own as far as the method allows. */
function contradict(choice: Choice, proposal: ProposalBody): Choice {
  const ids = proposal.options.map(({ id }) => id);
  const boldest = ids[0] ?? "";
  const last = ids.at(-1) ?? boldest;
  if (proposal.method === "approval") {
    const isBold = choice.kind === "approval" && choice.options.includes(boldest);
    return { kind: "approval", options: !isBold ? ids : choice.options.length > 1 ? [last] : [] };
  }
  if (proposal.method === "ranked") {
    const order = choice.kind === "ranked" ? choice.order.toReversed() : [[boldest]];
    const isSame = choice.kind === "ranked" && order.length === 1;
    return isSame ? { kind: "abstain" } : { kind: "ranked", order };
  }
  if (proposal.method === "grades") {
    const given = choice.kind === "grades" ? choice.grades : {};
    const opposite = (id: string): number => gradeMax - (Object.hasOwn(given, id) ? (given[id] ?? 0) : 0);
    return { kind: "grades", grades: Object.fromEntries(ids.map((id) => [id, opposite(id)])) };
  }
  if (choice.kind !== "single" || choice.option !== boldest) return { kind: "single", option: boldest };
  return last === boldest ? { kind: "abstain" } : { kind: "single", option: last };
}

/**
 * Makes a voter really vote twice, differently: it signs its honest ballot and one that contradicts it, with its own
 * key, and sends both. In mode bft its replica lies too: with every vote for a value it signs one for nil. Nothing else of the decision knows. For demonstrations and tests of the fault handling.
 */
export function makeEquivocate(voter: Voter): Voter {
  return {
    member: voter.member,
    signer: voter.signer,
    opine: (question, context) => voter.opine(question, context),
    async ballots(own, proposal) {
      const choice = contradict(own.body.choice, proposal);
      return [own, await signBallotBody({ ...own.body, choice }, voter.signer)];
    },
    link: (port, { signer }) => ({
      send(to, message) {
        port.send(to, message);
        const said = readMessage(message);
        if (said?.type !== "vote" || said.vote.value === null) return;
        const { sig: _sig, ...vote } = said.vote;
        const lie = signStatement<Vote>({ ...vote, value: null, validRound: -1 }, signer);
        void lie.then((other) => port.send(to, { type: "vote", vote: other }));
      },
      receive: (hear) => port.receive(hear),
    }),
  };
}
