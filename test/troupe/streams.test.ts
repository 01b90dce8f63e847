import { createTroupe, isTroupeError } from "troupe";
import { describe, expect, it } from "vitest";
import { itemsAheadMax } from "../../src/agent/items.ts";
import { Following } from "../../src/troupe/network/following.ts";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";
import { RunningClock } from "../conformance/running-clock.ts";
import { tellElsewhere, tellerAgent, tellHere } from "./teller.ts";

/** Everything that a stream yields, and how reading it ended. */
async function readAll(stream: AsyncIterable<unknown>): Promise<{ items: unknown[]; thrown: unknown }> {
  const items: unknown[] = [];
  try {
    for await (const item of stream) items.push(item);
    return { items, thrown: undefined };
  } catch (thrown) {
    return { items, thrown };
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

describe.each([
  ["here", tellHere],
  ["on another node", tellElsewhere],
])("a stream of an agent %s", (_where, open) => {
  it("yields its items in order, and ends with its output", async () => {
    await using telling = await open();
    const stream = telling.ref.stream("numbers", { count: 1_000 });
    expect(await readAll(stream)).toEqual({ items: upTo(1_000), thrown: undefined });
    expect(await stream.outcome).toEqual({ ok: true, value: "told 1000" });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it("is found by its capability too, and gives its output as the last value of the iterator", async () => {
    await using telling = await open();
    const stream = telling.reader.stream("numbers", { count: 1 });
    expect([await stream.next(), await stream.next()]).toEqual([
      { done: false, value: 0 },
      { done: true, value: "told 1" },
    ]);
  });

  it("has its handler wait while 32 items are ahead of the reader, and holds up nobody else", async () => {
    await using telling = await open();
    const { seen } = telling;
    const stream = telling.ref.stream("numbers", { count: 200 });
    expect(await stream.next()).toEqual({ done: false, value: 0 });
    // Each answer comes after whatever the teller had sent before it.
    while (seen.made < itemsAheadMax) expect((await telling.ref.call("nod", null)).ok).toBe(true);
    for (let turn = 0; turn < 20; turn += 1) expect((await telling.ref.call("nod", null)).ok).toBe(true);
    expect(seen.made).toBeLessThanOrEqual(itemsAheadMax + 2);
    expect(await readAll(stream)).toEqual({ items: upTo(200).slice(1), thrown: undefined });
  });

  it("is cancelled when its reader leaves, and its handler's cleaning up runs", async () => {
    await using telling = await open();
    const stream = telling.ref.stream("numbers", { count: 1_000_000 });
    for await (const item of stream) if (item === 3) break;
    await telling.left;
    expect(telling.seen.ended).toEqual(["aborted"]);
    expect(await stream.outcome).toMatchObject({ ok: false, failure: { code: "call/cancelled" } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(telling.seen.made).toBeLessThan(100);
  });

  it("is cancelled by its signal, and says so to the reader", async () => {
    await using telling = await open();
    const controller = new AbortController();
    const stream = telling.ref.stream("numbers", { count: 9, at: 2, what: "hang" }, { signal: controller.signal });
    expect([await stream.next(), await stream.next()].map(({ value }) => value)).toEqual([0, 1]);
    controller.abort();
    const { items, thrown } = await readAll(stream);
    expect(items).toEqual([]);
    expect(isTroupeError(thrown, "call/cancelled")).toBe(true);
    await telling.left;
  });

  it.each([
    ["fail", "teller/lost"],
    ["crash", "agent/crashed"],
    ["misfit", "agent/invalid-output"],
  ] as const)(
    "tells what came before it failed (%s), throws its failure, and is not begun again",
    async (what, code) => {
      await using telling = await open();
      const stream = telling.ref.stream("numbers", { count: 9, at: 5, what });
      const { items, thrown } = await readAll(stream);
      expect(items).toEqual(upTo(5));
      expect(thrown).toMatchObject({ code });
      expect(await stream.outcome).toMatchObject({ ok: false, failure: { code } });
      expect(telling.seen.begun).toBe(1);
    },
  );

  it("ends at its deadline, after what came before", async () => {
    using clock = new RunningClock();
    await using telling = await open({ ports: { clock } });
    const stream = telling.ref.stream("numbers", { count: 9, at: 2, what: "hang" }, { timeoutMs: 300 });
    const { items, thrown } = await readAll(stream);
    expect(items).toEqual([0, 1]);
    expect(isTroupeError(thrown, "call/timeout")).toBe(true);
    await telling.left;
    expect(telling.seen.ended).toEqual(["aborted"]);
  });

  it("reports progress beside its items, also to a reader that takes its time", async () => {
    await using telling = await open();
    const heard: number[] = [];
    const onProgress = ({ fraction }: { readonly fraction?: number }): void => void heard.push(fraction ?? -1);
    const stream = telling.ref.stream("numbers", { count: 300, what: "progress" }, { onProgress });
    const items: unknown[] = [];
    for await (const item of stream) {
      items.push(item);
      if (items.length % 50 === 0) await telling.ref.call("nod", null);
    }
    expect(items).toEqual(upTo(300));
    expect(heard[0]).toBe(0);
  });

  it("is a call with one answer for whoever calls it", async () => {
    await using telling = await open();
    expect(await telling.ref.call("numbers", { count: 5_000 })).toEqual({ ok: true, value: "told 5000" });
  });

  it("of a capability that is none has no items", async () => {
    await using telling = await open();
    const stream = telling.ref.stream("nod", null);
    expect(await stream.next()).toEqual({ done: true, value: "yes" });
  });

  it("answers each of several readers' questions once", async () => {
    await using telling = await open();
    const stream = telling.ref.stream("numbers", { count: 3 });
    const results = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next(), stream.next()]);
    expect(results.map(({ value }) => value)).toEqual([0, 1, 2, "told 3", undefined]);
  });

  it("takes no idempotency key, which another reader could join by", async () => {
    await using telling = await open();
    expect(() => telling.ref.stream("numbers", { count: 1 }, { key: "k" } as never)).toThrow("a stream takes no key");
    expect(() => telling.reader.stream("numbers", { count: 1 }, { timeoutMs: 0 })).toThrow("timeoutMs is 0");
  });
});

describe("a stream of another node", () => {
  it.each([
    ["function", "remote/unsendable"],
    ["huge", "remote/unsendable"],
  ] as const)("ends with a failure at an item that cannot travel: a %s", async (what, code) => {
    await using telling = await tellElsewhere();
    const { items, thrown } = await readAll(telling.ref.stream("numbers", { count: 9, at: 4, what }));
    expect(items).toEqual(upTo(4));
    expect(thrown).toMatchObject({ code });
    expect(telling.seen.ended).toEqual(["ended"]);
  });

  it("yields each item once and in order over any number of lost connections", async () => {
    const proxy = await ChaosProxy.open();
    await using telling = await tellElsewhere({ door: proxy.port });
    proxy.target = telling.port;
    const peer = await telling.reader.connect(`ws://127.0.0.1:${proxy.port}/`);
    const items: unknown[] = [];
    for await (const item of peer.ref(telling.ref.path).stream("numbers", { count: 500 })) {
      items.push(item);
      if (items.length % 200 === 0) proxy.cut();
    }
    expect(items).toEqual(upTo(500));
    await proxy.close();
  });

  it("throws remote/indeterminate where its session ends, and its handler is told to stop", async () => {
    await using telling = await tellElsewhere();
    const stream = telling.ref.stream("numbers", { count: 9, at: 2, what: "hang" });
    expect([await stream.next(), await stream.next()].map(({ value }) => value)).toEqual([0, 1]);
    const reading = readAll(stream);
    await telling.peer?.close();
    expect(await reading).toMatchObject({ items: [], thrown: { code: "remote/indeterminate" } });
    await telling.left;
    expect(telling.seen.ended).toEqual(["aborted"]);
  });

  it("is one of a child that is supervised from here, too", async () => {
    const { teller } = tellerAgent();
    await using server = await createTroupe({ node: "server" });
    const { url } = await server.listen({
      port: 0,
      spawn: [teller],
      grants: ["tell:/*", "watch:/*", "spawn:teller@1"],
    });
    await using reader = await createTroupe({ node: "client" });
    const peer = await reader.connect(url);
    const { agents } = await reader.supervise({ name: "tales", children: [{ remote: "teller@1", on: [peer] }] });
    const [ref] = agents as [(typeof agents)[number]];
    expect(await readAll(ref.stream("numbers", { count: 40 }))).toEqual({ items: upTo(40), thrown: undefined });
  });

  it("is ended with remote/overrun where its node does not wait for the reader", async () => {
    const granted: number[] = [];
    const items: unknown[] = [];
    const call = { capability: "numbers", account: undefined, items: { isBegun: false, taken: () => {}, push } };
    function push(item: unknown): undefined {
      items.push(item);
    }
    const requests = { grant: (_id: string, count: number) => void granted.push(count) };
    const following = new Following(call as never, { node: "rude", requests: requests as never });
    const signal = following.orAbort(undefined);
    for (let item = 0; item < itemsAheadMax; item += 1) following.next({ item });
    for (let read = 0; read < itemsAheadMax; read += 1) call.items.taken();
    expect([items.length, granted, signal?.aborted]).toEqual([32, [16, 16], false]);
    for (let item = 0; item <= itemsAheadMax; item += 1) following.next({ item });
    expect([items.length, signal?.aborted]).toEqual([64, true]);
    const cancelled = { ok: false, failure: { code: "call/cancelled" } } as never;
    expect(following.end(cancelled)).toMatchObject({ failure: { code: "remote/overrun", data: { node: "rude" } } });
  });
});
