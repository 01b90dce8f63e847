import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import {
  accuseOfOmission,
  createMember,
  createTroupe,
  verifyCertificate,
  voterAgent,
  voterAt,
  type Decision,
  type Participant,
  type SignedReceipt,
  type Troupe,
  type Voter,
} from "troupe";
import { FakeClock } from "troupe/testing";
import { describe, expect, test } from "vitest";
import type { Told } from "./remote-voters.ts";

/** Another process with voters whose keys are made there and stay there. */
class Elsewhere implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What came over the wire from there, in order. */
  readonly answers: { readonly voter: string; readonly to: "commit" | "vote"; readonly text: string }[] = [];

  constructor(...voters: string[]) {
    this.#child = fork(join(import.meta.dirname, "remote-voters.ts"), voters, {
      execArgv: ["--conditions=troupe-source", "--no-warnings"],
    });
  }

  async join(troupe: Troupe): Promise<Participant[]> {
    const [{ url, seats }] = (await once(this.#child, "message")) as [Told];
    const peer = await troupe.connect(url);
    return seats.map(({ member, path }) => this.#listen(voterAt(peer.ref(path), member)));
  }

  #listen(remote: Participant): Participant {
    const note = (to: "commit" | "vote", value: unknown): void =>
      void this.answers.push({ voter: remote.member.id, to, text: JSON.stringify(value) });
    return {
      member: remote.member,
      commit: async (...given) => {
        const outcome = await remote.commit?.(...given);
        if (outcome === undefined) throw new Error("voters elsewhere can commit");
        note("commit", outcome);
        return outcome;
      },
      vote: async (...given) => {
        const outcome = await remote.vote(...given);
        note("vote", outcome);
        return outcome;
      },
    };
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function voterOf(id: string, recommendation: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation, confidence: 0.8, reasoning: `${id} says ${recommendation}.` };
  return { member, signer, opine: async () => ({ ok: true, value }) };
}

const question = { question: "Ship it?", options: ["yes", "no"], close: "all" } as const;

function expectThree(decision: Decision): void {
  expect(decision).toMatchObject({ status: "decided", option: "yes", agreement: 0.75, absent: [], evidence: [] });
  expect(decision.dissent).toMatchObject([{ voter: "dee", kind: "against" }]);
  // Three of four: without a ballot from the other process there would be no quorum.
  expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
    ok: true,
    option: "yes",
    members: ["ann", "bob", "cy"],
  });
}

describe("voters on another node", () => {
  test("hold the coordinator's receipt for their ballots before the vote is over", async () => {
    const held = Promise.withResolvers<SignedReceipt>();
    const dee = { ...voterOf("dee", "yes"), receive: held.resolve };
    await using elsewhere = await createTroupe({ node: "elsewhere" });
    await elsewhere.spawn(voterAgent(dee));
    const { url } = await elsewhere.listen({ port: 0 });
    await using chair = await createTroupe({ node: "chair" });
    const peer = await chair.connect(url);
    const ann = voterOf("ann", "yes");
    const waiting: Voter = { ...ann, opine: (...asked) => held.promise.then(() => ann.opine(...asked)) };
    const decision = await chair.decide({ ...question, voters: [waiting, voterAt(peer.ref("/voter/1"), dee.member)] });
    const receipt = await held.promise;
    expect(receipt.body).toMatchObject({ decisionId: decision.decisionId, voter: "dee" });
    expect(accuseOfOmission(receipt, decision)).toBeUndefined();
    expect(decision.option).toBe("yes");
  });
});

describe("voters in another process, over a socket", () => {
  test("send open ballots, and the vote counts them", async () => {
    await using elsewhere = new Elsewhere("cy:yes", "dee:no");
    await using troupe = await createTroupe({ node: "chair" });
    const voters = [voterOf("ann", "yes"), voterOf("bob", "yes"), ...(await elsewhere.join(troupe))];
    expectThree(await troupe.decide({ ...question, voters, secrecy: "open" }));
    expect(elsewhere.answers.map(({ to }) => to)).toEqual(["vote", "vote"]);
    for (const { voter, text } of elsewhere.answers) expect(text).toContain(`${voter} says`);
  });

  test("seal their ballots to the coordinator: nobody can read them on the way", async () => {
    await using elsewhere = new Elsewhere("cy:yes", "dee:no");
    await using troupe = await createTroupe({ node: "chair" });
    const voters = [voterOf("ann", "yes"), voterOf("bob", "yes"), ...(await elsewhere.join(troupe))];
    expectThree(await troupe.decide({ ...question, voters, secrecy: "sealed" }));
    expect(elsewhere.answers).toHaveLength(2);
    for (const { text } of elsewhere.answers) {
      expect(JSON.parse(text)).toMatchObject({ ok: true, value: { sealed: expect.anything() } });
      expect(text).not.toMatch(/says|option|recommendation|ballots/);
    }
  });

  test("commit first, and show their ballots when the quorum has committed", async () => {
    await using elsewhere = new Elsewhere("cy:yes", "dee:no");
    await using troupe = await createTroupe({ node: "chair" });
    const voters = [voterOf("ann", "yes"), voterOf("bob", "yes"), ...(await elsewhere.join(troupe))];
    expectThree(await troupe.decide({ ...question, voters, secrecy: "commit-reveal" }));
    expect(elsewhere.answers.map(({ to }) => to)).toEqual(["commit", "commit", "vote", "vote"]);
    for (const { to, text } of elsewhere.answers) expect(text.includes("says")).toBe(to === "vote");
  });

  test("that fall between commitment and ballot lose their own vote, and the others decide", async () => {
    await using elsewhere = new Elsewhere("dee:no");
    const clock = new FakeClock(Date.now());
    await using troupe = await createTroupe({ node: "chair", ports: { clock } });
    const [dee] = await elsewhere.join(troupe);
    if (dee === undefined) throw new Error("one is elsewhere");
    const fallen = Promise.withResolvers<void>();
    const falling: Participant = {
      ...dee,
      vote: async (...given) => {
        await elsewhere.kill();
        fallen.resolve();
        return await dee.vote(...given);
      },
    };
    const voters = [voterOf("ann", "yes"), voterOf("bob", "yes"), voterOf("cy", "yes"), falling];
    let isDecided = false;
    const deciding = troupe
      .decide({ ...question, voters, secrecy: "commit-reveal", timeoutMs: 60_000 })
      .finally(() => (isDecided = true));
    await fallen.promise;
    while (!isDecided || elsewhere.answers.length < 2) await clock.advance(1_000);
    const decision = await deciding;
    expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [] });
    expect(decision.absent).toMatchObject([{ voter: "dee", reason: "withheld" }]);
    expect(elsewhere.answers.map(({ to }) => to)).toEqual(["commit", "vote"]);
    expect(JSON.parse(elsewhere.answers[1]?.text ?? "")).toMatchObject({ ok: false });
  });
});
