import { describe, expect, test } from "vitest";
import { createTroupe, type RemotePeer } from "troupe";
import { shortSessionMs as shortMs, Yard } from "./yard.ts";

const heartbeatMs = 150;
const key = "the frame of order 7";

/** One call under the key, with everything that its caller ever hears of it. */
function weld(peer: RemotePeer, input: { readonly ms: number; readonly isGated?: boolean }) {
  const heard: unknown[] = [];
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const options = {
    key,
    timeoutMs: 60_000,
    onProgress: ({ fraction }: { readonly fraction?: number }) => {
      heard.push(fraction);
      begin();
    },
  };
  const outcome = peer.ref("/hand/1").call("weld", input, options);
  void outcome.then((end) => heard.push(end.ok ? end.value : end.failure.code));
  return { begun, outcome, heard };
}

/** What a monitor ever says. */
function watch(peer: RemotePeer): string[] {
  const downs: string[] = [];
  void peer
    .ref("/hand/1")
    .monitor()
    .then(({ reason }) => downs.push(reason));
  return downs;
}

describe("a real node with a call in hand and a monitor on it", () => {
  test("killed (kill -9): the call is indeterminate, the monitor falls once, and the key runs once in the next life", async () => {
    await using yard = new Yard();
    await using troupe = await createTroupe({ node: "chair", links: { heartbeatMs, sessionMs: shortMs } });
    const first = await yard.start("east", { sessionMs: shortMs });
    const peer = await troupe.connect(first.url);
    const downs = watch(peer);
    const call = weld(peer, { ms: 60_000 });
    await call.begun;
    first.child.kill("SIGKILL");
    expect(await call.outcome).toMatchObject({ ok: false, failure: { code: "remote/indeterminate", retry: "later" } });
    await yard.until("the monitor has fallen", () => downs.length > 0);
    await yard.start("east", { port: Number(new URL(first.url).port), sessionMs: shortMs });
    const back = await troupe.connect(first.url);
    const later = watch(back);
    const again = [weld(back, { ms: 50 }), weld(back, { ms: 50 })];
    for (const { outcome } of again) expect(await outcome).toEqual({ ok: true, value: "east" });
    expect(await weld(back, { ms: 50 }).outcome).toEqual({ ok: true, value: "east" });
    expect(yard.effects("begun").map((effect) => effect.key)).toEqual([key, key]);
    expect(yard.effects("done").map((effect) => effect.key)).toEqual([key]);
    expect([call.heard, downs, later]).toEqual([[0.1, "remote/indeterminate"], ["noconnection"], []]);
  });

  test("standing still (SIGSTOP) within its session: the call is answered once, and the monitor does not fall", async () => {
    const sessionMs = 60_000;
    await using yard = new Yard();
    await using troupe = await createTroupe({ node: "chair", links: { heartbeatMs, sessionMs } });
    const { url, child } = await yard.start("east", { sessionMs });
    const peer = await troupe.connect(url);
    const downs = watch(peer);
    const call = weld(peer, { ms: 0, isGated: true });
    await call.begun;
    child.kill("SIGSTOP");
    await yard.until("its silence is noticed", () => peer.state === "resuming" || peer.state === "suspect");
    expect(call.heard).toEqual([0.1]);
    yard.openGate();
    child.kill("SIGCONT");
    expect(await call.outcome).toEqual({ ok: true, value: "east" });
    expect(await weld(peer, { ms: 0 }).outcome).toEqual({ ok: true, value: "east" });
    expect([yard.effects("begun").length, yard.effects("done").length]).toEqual([1, 1]);
    expect([call.heard, downs]).toEqual([[0.1, 0.9, "east"], []]);
  });

  test("standing still beyond its session: the call is indeterminate, nobody hears the late answer, and the key ran once", async () => {
    await using yard = new Yard();
    await using troupe = await createTroupe({ node: "chair", links: { heartbeatMs, sessionMs: shortMs } });
    const { url, child } = await yard.start("east", { sessionMs: shortMs });
    const peer = await troupe.connect(url);
    const downs = watch(peer);
    const call = weld(peer, { ms: 0, isGated: true });
    await call.begun;
    child.kill("SIGSTOP");
    expect(await call.outcome).toMatchObject({ ok: false, failure: { code: "remote/indeterminate" } });
    await yard.until("the monitor has fallen", () => downs.length > 0);
    yard.openGate();
    child.kill("SIGCONT");
    await yard.until("it has woken up and gone on", () => yard.effects("done").length === 1);
    await yard.until("it is back", () => peer.state === "up");
    // Whatever it had to say about the first call would come before the end of this one.
    expect(await weld(peer, { ms: 50 }).outcome).toEqual({ ok: true, value: "east" });
    expect([yard.effects("begun").length, yard.effects("done").length]).toEqual([1, 1]);
    expect([call.heard, downs]).toEqual([[0.1, "remote/indeterminate"], ["noconnection"]]);
  });
});
