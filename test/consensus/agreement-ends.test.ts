import { describe, expect, it } from "vitest";
import type { Method } from "../../machines/consensus/codec/messages.ts";
import type { Decision } from "../../src/consensus/decision.ts";
import type { Opinion } from "../../src/consensus/opinion/opinion.ts";
import { renderDecision } from "../../src/consensus/report.ts";
import { verifyCertificate, verifyEvidence } from "../../src/consensus/verify.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";
import type { Voter } from "../../src/consensus/voter.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { conspire } from "./conspiracy.ts";
import { IdleClock } from "./idle-clock.ts";
import { opinionOf, openRoom, voterOf } from "./panel.ts";

type Request = Parameters<ReturnType<typeof openRoom>["decide"]>[0];
type Link = NonNullable<Voter["link"]>;

function agree(request: Request, clock: FakeClock = new IdleClock()): Promise<Decision> {
  return openRoom({ clock }).decide({ mode: "bft", close: "all", ...request });
}

describe("an agreement that is over", () => {
  it("has taken back every timer that it set, so that nothing of it is held", async () => {
    const clock = new FakeClock();
    const voters = ["a", "b", "c", "d"].map((id) => voterOf(id, opinionOf("x")));
    expect((await agree({ voters }, clock)).status).toBe("decided");
    expect(clock.waiting).toBe(0);
  });
});

describe("an agreement by each method", () => {
  const says: Readonly<Record<Exclude<Method, "single">, readonly Partial<Opinion>[]>> = {
    approval: [
      opinionOf("x", { approves: ["x", "y"] }),
      opinionOf("y", { approves: ["y"] }),
      opinionOf("y", { approves: ["x", "y"] }),
      opinionOf("z", { approves: ["z"] }),
    ],
    ranked: [
      opinionOf("x", { ranking: [["x"], ["y"], ["z"]] }),
      opinionOf("z", { ranking: [["z"], ["y"], ["x"]] }),
      opinionOf("y", { ranking: [["y"], ["x"], ["z"]] }),
      opinionOf("y", { ranking: [["y"], ["z"], ["x"]] }),
    ],
    grades: [
      opinionOf("x", { grades: { x: 90, y: 80, z: 0 } }),
      opinionOf("z", { grades: { x: 0, y: 70, z: 90 } }),
      opinionOf("y", { grades: { x: 20, y: 75, z: 30 } }),
      opinionOf("y", { grades: { x: 10, y: 85, z: 20 } }),
    ],
  };

  it.each(["approval", "ranked", "grades"] as const)(
    "certifies the winner of %s, which anyone can count again from the ballots",
    async (method) => {
      const voters = says[method].map((answer, index) => voterOf("abcd"[index] ?? "", answer));
      const decision = await agree({ method, voters });
      expect(decision).toMatchObject({ status: "decided", option: "y", certificate: { kind: "commit" } });
      expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
        ok: true,
        option: "y",
        agreed: { status: "decided", round: 0 },
      });
      if (decision.certificate?.kind !== "commit") throw new Error("it is a commit");
      const { value } = decision.certificate;
      expect(value.ballots.map(({ body }) => body.choice.kind)).toEqual([method, method, method, method]);
      const other = { ...decision.certificate, value: { ...value, option: "x" } };
      expect(verifyCertificate(other, decision.electorate).ok).toBe(false);
    },
  );

  it("never reads text as a vote: prose is asked for once more, and is an abstention then", async () => {
    const asked: (string | undefined)[] = [];
    const prose = voterOf("d", async (_question, { problem }) => {
      asked.push(problem);
      return { ok: true, value: "I vote for y, definitely y." };
    });
    const voters = ["a", "b", "c"].map((name) => voterOf(name, opinionOf("x")));
    const decision = await agree({ method: "single", voters: [...voters, prose] });
    expect(asked).toEqual([undefined, expect.stringMatching(/\w/)]);
    expect(decision).toMatchObject({ status: "decided", option: "x", tally: { abstaining: 1, participating: 4 } });
  });
});

describe("an agreement that does not come about", () => {
  it("ends in timeout without a certificate, which is no rejection, when more than F_live say nothing", async () => {
    const mute: Link = (port) => ({
      send: (to, message) => {
        if (readMessage(message)?.type === "ballots") port.send(to, message);
      },
      receive: (hear) => port.receive(hear),
    });
    const voters = ["a", "b", "c", "d"].map((name, index) => ({
      ...voterOf(name, opinionOf("x")),
      ...(index < 2 ? {} : { link: mute }),
    }));
    const decision = await agree({ method: "single", voters, timeoutMs: 20_000 });
    expect(decision).toMatchObject({ status: "timeout", option: null, certificate: null, evidence: [] });
    expect(decision.tally).toMatchObject({ participating: 4, leading: "x" });
    expect(renderDecision(decision)).toContain("This is no rejection");
  });
});

/** Decisions whose first proposer is drawn anew each time; a liar is first in half of them. */
const triesMax = 40;

describe("an agreement in which more than F_safe lie", () => {
  it("ends in conflict where they make two members decide differently, and convicts both liars and nobody else", async () => {
    let decision: Decision | undefined;
    for (let tries = 0; tries < triesMax && decision?.status !== "conflict"; tries += 1) {
      const decisionId = `decision-${tries}`;
      decision = await agree({ method: "single", threshold: ">1/2", voters: conspire(), decisionId });
    }
    if (decision === undefined) throw new Error("it was tried");
    expect(decision).toMatchObject({ status: "conflict", option: null, certificate: null });
    const { electorate } = decision;
    const convicted = decision.evidence.flatMap((evidence) => {
      const check = verifyEvidence(evidence, electorate);
      return check.ok && "voters" in check ? check.voters : [];
    });
    expect([...new Set(convicted)].sort()).toEqual(["c", "d"]);
    expect(decision.assumptions.warnings).toContainEqual({
      code: "disagreement",
      message: expect.stringContaining("F_safe = 1"),
    });
  });
});
