import { createMember, createTroupe, verifyCertificate, voterAgent, voterAt } from "troupe";
import type { Participant, RemotePeer, Troupe, Voter } from "troupe";
import { describe, expect, test } from "vitest";

function voterOf(id: string, recommendation: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation, confidence: 0.8, reasoning: `${id} says ${recommendation}.` };
  return { member, signer, opine: async () => ({ ok: true, value }) };
}

const question = { mode: "bft", question: "Ship it?", options: ["yes", "no"], close: "all" } as const;

/** A node of its own, with a socket, for each voter; nobody but the chair is connected to them. */
class Nodes implements AsyncDisposable {
  readonly #troupes: Troupe[] = [];

  async chair(): Promise<Troupe> {
    return this.#keep(await createTroupe({ node: "chair" }));
  }

  async seat(chair: Troupe, voter: Voter): Promise<Participant> {
    const troupe = this.#keep(await createTroupe({ node: voter.member.id }));
    const [agent] = await troupe.spawn(voterAgent(voter, { store: troupe.store }));
    const { url } = await troupe.listen({ port: 0 });
    return voterAt((await chair.connect(url)).ref(agent?.path ?? ""), voter.member);
  }

  /** Voters whose nodes are connected to each other, as far as `isLinked` says. */
  async seatLinked(
    chair: Troupe,
    voters: readonly Voter[],
    isLinked: (from: number, to: number) => boolean,
  ): Promise<Participant[]> {
    const urls: string[] = [];
    const links: RemotePeer[][] = [];
    const troupes: Troupe[] = [];
    for (const [self, voter] of voters.entries()) {
      const troupe = this.#keep(await createTroupe({ node: voter.member.id }));
      troupes.push(troupe);
      await troupe.spawn(voterAgent(voter, { store: troupe.store, peers: () => links[self] ?? [] }));
      urls.push((await troupe.listen({ port: 0 })).url);
    }
    for (const [self, troupe] of troupes.entries()) {
      const others = urls.filter((_, to) => to !== self && isLinked(self, to));
      links[self] = await Promise.all(others.map((url) => troupe.connect(url)));
    }
    const seats = urls.map(async (url, to) => {
      const member = voters[to]?.member;
      if (member === undefined) throw new Error("there is one for each");
      return voterAt((await chair.connect(url)).ref("/voter/1"), member);
    });
    return await Promise.all(seats);
  }

  #keep(troupe: Troupe): Troupe {
    this.#troupes.push(troupe);
    return troupe;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const troupe of this.#troupes) await troupe.close();
  }
}

describe("an agreement of voters on several nodes, each with its key and its replica there", () => {
  test("decides with one voter here and three elsewhere", async () => {
    await using nodes = new Nodes();
    const chair = await nodes.chair();
    const voters = [voterOf("ann", "yes")];
    const elsewhere = [];
    for (const voter of [voterOf("bob", "yes"), voterOf("cy", "yes"), voterOf("dee", "no")])
      elsewhere.push(await nodes.seat(chair, voter));
    const decision = await chair.decide({ ...question, voters: [...voters, ...elsewhere] });
    expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [], absent: [] });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
      ok: true,
      option: "yes",
      members: ["ann", "bob", "cy"],
      agreed: { status: "decided", round: 0 },
    });
    expect(decision.dissent).toMatchObject([{ voter: "dee", kind: "against" }]);
  });

  test("decides where the one that asks has no voter: it carries the messages and holds no key", async () => {
    await using nodes = new Nodes();
    const chair = await nodes.chair();
    const voters = [];
    for (const id of ["ann", "bob", "cy", "dee"]) voters.push(await nodes.seat(chair, voterOf(id, "yes")));
    const decision = await chair.decide({ ...question, voters });
    expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [], absent: [] });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, option: "yes" });
    expect(decision.ballots.map(({ voter, reasoning }) => [voter, reasoning])).toEqual(
      ["ann", "bob", "cy", "dee"].map((id) => [id, `${id} says yes.`]),
    );
  });

  const everybody = ["ann", "bob", "cy", "dee"];

  /** The same voter; the one that asks tells it nothing of what the others say. */
  function untold(voter: Participant): Participant {
    const { member, replica } = voter;
    if (replica === undefined) throw new Error("it has a replica");
    return { member, vote: (...given) => voter.vote(...given), replica: { ...replica, say: () => undefined } };
  }

  test("decides although the one that asks passes nothing on, where the nodes are connected to each other", async () => {
    await using nodes = new Nodes();
    const chair = await nodes.chair();
    const voters = everybody.map((id) => voterOf(id, "yes"));
    const seats = await nodes.seatLinked(chair, voters, () => true);
    const decision = await chair.decide({ ...question, voters: seats.map(untold) });
    expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [], absent: [] });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, option: "yes" });
  });

  test("decides where some are connected to each other, and the one that asks passes on the rest", async () => {
    await using nodes = new Nodes();
    const chair = await nodes.chair();
    const voters = everybody.map((id) => voterOf(id, "yes"));
    // A chain, and each end of it is told by one side only.
    const seats = await nodes.seatLinked(chair, voters, (from, to) => to === from + 1);
    const decision = await chair.decide({ ...question, voters: seats });
    expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [], absent: [] });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
      ok: true,
      agreed: { round: 0 },
    });
  });
});
