import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createMember, createTroupe, verifyCertificate, voterAt, type Voter } from "troupe";
import { endAll, shortSessionMs, Yard } from "../remote/yard.ts";

const links = { heartbeatMs: 150, sessionMs: shortSessionMs };
/** How long a process stands still: longer than a silence is borne and a session is kept. Nobody can say when it is over. */
const standstillMs = 4_000;

function voterOf(id: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation: "yes", confidence: 0.8, reasoning: "I looked.", concerns: [], alternatives: [] };
  return { member, signer, opine: async () => ({ ok: true, value }) };
}

describe("real nodes with a voter each", () => {
  test.each(["SIGKILL", "SIGSTOP"] as const)(
    "%s of a voter during a vote: one decision, one ballot of each",
    async (signal) => {
      await using yard = new Yard();
      await using troupe = await createTroupe({ node: "chair", links });
      const [east, west] = await Promise.all([yard.start("east"), yard.start("west")]);
      const remote = [];
      for (const { url, member } of [east, west])
        remote.push(voterAt((await troupe.connect(url)).ref("/voter/1"), member));
      const voters = [voterOf("ann"), voterOf("bob"), ...remote];
      // Whoever may come back is waited for until the round closes.
      const rules = { close: "all", timeoutMs: 8_000 } as const;
      const deciding = troupe.decide({ question: "Ship it?", options: ["yes", "no"], voters, ...rules });
      await yard.until("both are asked", () => yard.effects("asked").length === 2);
      if (signal === "SIGKILL") await endAll([east.child]);
      else east.child.kill(signal);
      yard.openGate();
      const decision = await deciding;
      expect(decision).toMatchObject({ status: "decided", option: "yes" });
      const { certificate, electorate } = decision;
      expect(certificate).not.toBeNull();
      if (certificate === null) return;
      const verdict = verifyCertificate(certificate, electorate);
      expect(verdict).toMatchObject({ ok: true, members: ["ann", "bob", "west"] });
      if (signal === "SIGSTOP") {
        east.child.kill("SIGCONT");
        await sleep(standstillMs);
        // What it says now changes nothing: the decision is a value, and nobody is asked again.
        expect(verifyCertificate(certificate, electorate)).toEqual(verdict);
      }
      expect(
        yard
          .effects("asked")
          .map(({ node }) => node)
          .toSorted(),
      ).toEqual(["east", "west"]);
    },
  );
});
