import { createMember, createTroupe, verifyCertificate, voterAgent, voterAt } from "troupe";
import type { Participant, Troupe, Voter } from "troupe";
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
});
