import type { Proposal, Vote } from "../../machines/consensus/bft/statement.ts";
import { valueDigestOf } from "../../machines/consensus/codec/commit-messages.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import type { Voter } from "../../src/consensus/voter.ts";
import { opinionOf, voterOf } from "./panel.ts";

type Link = NonNullable<Voter["link"]>;

/**
 * Four members of whom two lie: the network carries nothing between the honest "a" and "b", and the liars vote for the
 * value with "a", and for the same value without the last ballot with "b". It works where a liar proposes first.
 */
export function conspire(): Voter[] {
  let told: string | undefined;
  const apart: Link = (port, { self }) => ({
    send: (to, message) => {
      if (to !== 1 - self || readMessage(message)?.type === "ballots") port.send(to, message);
    },
    receive: (hear) => port.receive(hear),
  });
  const lie: Link = (port, { signer }) => ({
    send: (to, message) => {
      const said = readMessage(message);
      if (to !== 1 || said === undefined || said.type === "ballots") return port.send(to, message);
      if (said.type === "proposal") {
        const content = { ...said.content, ballots: said.content.ballots.slice(0, -1) };
        told = valueDigestOf(content, sha256);
        const { sig: _sig, ...proposal } = said.proposal;
        const made = signStatement<Proposal>({ ...proposal, value: told }, signer);
        void made.then((other) => port.send(1, { type: "proposal", proposal: other, polka: [], content }));
      }
      if (said.type !== "vote" || said.vote.value === null || told === undefined) return;
      const { sig: _sig, ...vote } = said.vote;
      const made = signStatement<Vote>({ ...vote, value: told }, signer);
      void made.then((other) => port.send(1, { type: "vote", vote: other }));
    },
    receive: (hear) =>
      port.receive((from, message) => {
        if (from !== 1 || readMessage(message)?.type === "ballots") hear(from, message);
      }),
  });
  return ["a", "b", "c", "d"].map((name, index) => ({
    ...voterOf(name, opinionOf("x")),
    link: index < 2 ? apart : lie,
  }));
}
