import { createMember, createTroupe, verifyCertificate, voterAgent, voterAt, type Decision, type Voter } from "troupe";
import { describe, expect, test } from "vitest";
import { FakeClock } from "troupe/testing";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";
import { RunningClock } from "../conformance/running-clock.ts";

const links = { heartbeatMs: 200, sessionMs: 500 };

/** Waits for the turn of events that makes it so; the test's own deadline bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

type Opine = Voter["opine"];

function opinionOf(recommendation: string): Awaited<ReturnType<Opine>> {
  return { ok: true, value: { recommendation, confidence: 0.8, reasoning: `It is ${recommendation}.` } };
}

/** A chair, a voter behind a wire that can be cut, and two others, without whom and with whom no quorum is. */
async function hall(opine: Opine, clock?: FakeClock) {
  const proxy = await ChaosProxy.open();
  const running = new RunningClock();
  const { member, signer } = createMember({ id: "cy" });
  const signed = { count: 0 };
  const counting = {
    ...signer,
    sign: (bytes: Uint8Array) => {
      signed.count += 1;
      return signer.sign(bytes);
    },
  };
  const seat = async () => {
    const troupe = await createTroupe({
      node: "elsewhere",
      ...(clock === undefined ? { links, ports: { clock: running } } : { ports: { clock } }),
    });
    await troupe.spawn(voterAgent({ member, signer: counting, opine }));
    const listener = await troupe.listen({ port: 0, hosts: [`127.0.0.1:${proxy.port}`] });
    return { troupe, listener, port: Number(new URL(listener.url).port) };
  };
  const seated = await seat();
  proxy.target = seated.port;
  const chair = await createTroupe({ node: "chair", links, ports: { clock: running } });
  const peer = await chair.connect(`ws://127.0.0.1:${proxy.port}/`, { timeoutMs: 30_000 });
  const lost = (): boolean => peer.state === "connecting" && seated.listener.peers.length === 0;
  return {
    proxy,
    signed,
    seat,
    /** The voter's process shuts down in good order, as far as its clock lets it. */
    leave: () => seated.troupe.close(),
    /** Nothing passes until both sides have given up the session; then everything does. */
    async endSession(): Promise<void> {
      proxy.closed = true;
      proxy.cut();
      await until(lost);
    },
    heal: () => void (proxy.closed = false),
    decide: (secrecy: "open" | "sealed" | "commit-reveal" = "open"): Promise<Decision> => {
      const near = ["ann", "bob"].map((id): Voter => ({
        ...createMember({ id }),
        opine: async () => opinionOf("yes"),
      }));
      const voters = [...near, voterAt(peer.ref("/voter/1"), member)];
      return chair.decide({ question: "Ship it?", options: ["yes", "no"], close: "all", secrecy, voters });
    },
    async [Symbol.asyncDispose]() {
      await chair.close();
      await seated.troupe.close();
      await proxy.close();
      running[Symbol.dispose]();
    },
  };
}

function expectAll(decision: Decision): void {
  expect(decision).toMatchObject({ status: "decided", option: "yes", absent: [], evidence: [] });
  expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
    ok: true,
    members: ["ann", "bob", "cy"],
  });
}

describe("a voter whose session ends between question and answer", () => {
  test("is asked again while it still thinks, and what it thought for nobody is never signed", async () => {
    const thought: string[] = [];
    const first = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    await using scene = await hall(async () => {
      thought.push("opinion");
      if (thought.length > 1) {
        late.resolve();
        await new Promise((resolve) => setImmediate(resolve));
        return opinionOf("yes");
      }
      first.resolve();
      // It does not heed its signal, and comes with another opinion after it has been asked again.
      await late.promise;
      return opinionOf("no");
    });
    const decided = scene.decide();
    await first.promise;
    await scene.endSession();
    scene.heal();
    expectAll(await decided);
    expect([thought.length, scene.signed.count]).toEqual([2, 1]);
  });

  test.each([
    ["open", 1],
    ["sealed", 1],
    ["commit-reveal", 2],
  ] as const)("gives the ballot that it had signed, whatever it would say now: %s", async (secrecy, signatures) => {
    let opinions = 0;
    const asked = Promise.withResolvers<void>();
    const cut = Promise.withResolvers<void>();
    await using scene = await hall(async () => {
      opinions += 1;
      asked.resolve();
      await cut.promise;
      return opinionOf(opinions === 1 ? "yes" : "no");
    });
    const decided = scene.decide(secrecy);
    await asked.promise;
    scene.proxy.closed = true;
    scene.proxy.cut();
    cut.resolve();
    await until(() => scene.signed.count === signatures);
    await scene.endSession();
    scene.heal();
    expectAll(await decided);
    expect([opinions, scene.signed.count]).toEqual([1, signatures]);
  });

  test("is not waited for where its node has left in good order", async () => {
    const asked = Promise.withResolvers<void>();
    const clock = new FakeClock();
    await using scene = await hall((_question, { signal }) => {
      asked.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    }, clock);
    const decided = scene.decide();
    await asked.promise;
    let hasLeft = false;
    const leaving = scene.leave().then(() => (hasLeft = true));
    // It lets the call in hand have its time first.
    while (!hasLeft) await clock.advance(1_000);
    await leaving;
    expect((await decided).absent).toMatchObject([{ voter: "cy", reason: "failed" }]);
  });

  test("is not asked again where its process has started anew: that one does not know what was signed before", async () => {
    let opinions = 0;
    const asked = Promise.withResolvers<void>();
    await using scene = await hall(async (_question, { signal }) => {
      opinions += 1;
      asked.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    });
    const decided = scene.decide();
    await asked.promise;
    await scene.endSession();
    const again = await scene.seat();
    scene.proxy.target = again.port;
    scene.heal();
    const decision = await decided;
    expect(decision.absent).toMatchObject([{ voter: "cy", reason: "failed" }]);
    expect(again.listener.peers).toEqual(["chair"]);
    expect([opinions, scene.signed.count]).toEqual([1, 0]);
    await again.troupe.close();
  });
});
