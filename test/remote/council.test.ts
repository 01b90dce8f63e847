import { createMember, createTroupe, verifyCertificate, type Participant } from "troupe";
import { describe, expect, test } from "vitest";
import { contentsPerPlace, Houses } from "./houses.ts";

const links = { heartbeatMs: 150, sessionMs: 1_000 };
const question = { mode: "bft", question: "Ship it?", options: ["yes", "no"], close: "all" } as const;

/** The same voter; its votes are carried only from then on. */
function heldUntil(then: Promise<unknown>, voter: Participant): Participant {
  const { member, replica } = voter;
  if (replica === undefined) throw new Error("it has a replica");
  const listen: NonNullable<Participant["replica"]>["listen"] = async (...given) => {
    const outcome = await replica.listen(...given);
    if (JSON.stringify(outcome).includes('"type":"vote"')) await then;
    return outcome;
  };
  return { member, vote: (...given) => voter.vote(...given), replica: { ...replica, listen } };
}

describe("a council of four processes, each with its key, its replica and its store", () => {
  test.each(["prevote", "precommit"] as const)(
    "decides when one is killed (kill -9) at its first %s, and the certificate holds",
    async (fall) => {
      await using houses = new Houses();
      await using chair = await createTroupe({ node: "chair", links });
      const nodes = await Promise.all(
        ["ann", "bob", "cy", "dee"].map((name) => houses.start(name, { fall: name === "dee" ? fall : "never" })),
      );
      const [ann, bob, cy, dee] = await Promise.all(nodes.map((node) => houses.seat(chair, node)));
      const over = nodes[3]?.over;
      if (ann === undefined || bob === undefined || cy === undefined || dee === undefined || over === undefined)
        throw new Error("they were started");
      // Without the third nothing is decided before the last has fallen.
      const decision = await chair.decide({ ...question, voters: [ann, bob, heldUntil(over, cy), dee] });
      expect(await over).toEqual([null, "SIGKILL"]);
      expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [] });
      const verdict = verifyCertificate(decision.certificate, decision.electorate);
      expect(verdict).toMatchObject({ ok: true, option: "yes", members: expect.arrayContaining(["ann", "bob", "cy"]) });
    },
  );

  test(
    "waits for one that it cannot do without, and that goes on with its store: it signs nothing twice",
    { timeout: 60_000 },
    async () => {
      await using houses = new Houses();
      await using chair = await createTroupe({ node: "chair", links });
      const nodes = await Promise.all(
        ["ann", "bob", "cy"].map((name) => houses.start(name, { fall: name === "cy" ? "precommit" : "never" })),
      );
      const cy = nodes[2];
      if (cy === undefined) throw new Error("it was started");
      // The fourth is nowhere: three of four are just enough.
      const { member } = createMember({ id: "dee" });
      const gone = {
        ok: false,
        failure: { code: "remote/forbidden", message: "no", retry: "never", data: {} },
      } as const;
      const nowhere: Participant = {
        member,
        vote: async () => gone,
        replica: { join: async () => gone, listen: async () => gone, say: () => undefined, leave: () => undefined },
      };
      const voters = await Promise.all(nodes.map((node) => houses.seat(chair, node)));
      const deciding = chair.decide({ ...question, voters: [...voters, nowhere], timeoutMs: 30_000 });
      expect(await cy.over).toEqual([null, "SIGKILL"]);
      const before = houses.effects("cy").filter(({ what }) => what === "vote");
      expect(before.at(-1)).toMatchObject({ kind: "precommit" });
      const again = await houses.start("cy", { port: Number(new URL(cy.url).port) });
      expect(again.member).toEqual(cy.member);
      const decision = await deciding;
      expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [] });
      const verdict = verifyCertificate(decision.certificate, decision.electorate);
      expect(verdict).toMatchObject({ ok: true, option: "yes", members: ["ann", "bob", "cy"] });
      const effects = houses.effects("cy");
      expect(effects.filter(({ what }) => what === "asked")).toHaveLength(1);
      expect(effects.length).toBeGreaterThan(before.length + 1);
      expect(contentsPerPlace(effects).every((size) => size === 1)).toBe(true);
    },
  );
});
