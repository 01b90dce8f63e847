import { expect, test } from "vitest";
import { createTroupe, defineAgent } from "troupe";
import type { StreamEvent } from "troupe";
import { z } from "zod";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { spawnedMax } from "../../src/remote/limits.ts";

const token = "a secret for this test only";
const auth = { token };

const worker = defineAgent({
  name: "worker",
  capabilities: {
    double: { input: z.number(), output: z.number(), run: ({ input }) => input * 2 },
    carried: {
      input: z.null(),
      output: z.unknown(),
      run: ({ key, runId, decisionId, baggage, traceparent, progress, spend }) => {
        progress(0.5, "half");
        spend({ tokens: 30 });
        return { key, runId, decisionId, baggage, trace: traceparent.split("-")[1] };
      },
    },
    wait: {
      input: z.null(),
      output: z.string(),
      run: ({ signal, agent }) =>
        new Promise((resolve) => {
          waiting.get(agent.path)?.();
          signal.addEventListener("abort", () => {
            aborted.push(String(signal.reason));
            resolve("aborted");
          });
        }),
    },
    crash: {
      input: z.null(),
      output: z.null(),
      run: () => {
        throw new Error("broken");
      },
    },
  },
});
const aborted: string[] = [];
const waiting = new Map<string, () => void>();

async function pair(options: { readonly grants?: readonly string[] } = {}) {
  const server = await createTroupe({ agents: [worker], node: "server" });
  const [agent] = await server.spawn(worker, { restart: "permanent" });
  const listener = await server.listen({ port: 0, auth, ...options });
  const client = await createTroupe({ node: "client" });
  const peer = await client.connect(listener.url, { auth });
  return {
    server,
    client,
    listener,
    peer,
    agent: agent as NonNullable<typeof agent>,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
}

test("a call that nobody here can take goes to the peer; a local agent is preferred", async () => {
  await using both = await pair();
  const { client, peer } = both;
  expect(peer).toMatchObject({ node: "server", state: "up" });
  expect(peer.capabilities).toContain("double");
  expect(await client.call("double", 21)).toEqual({ ok: true, value: 42 });
  expect(await client.call("double", "x")).toMatchObject({ ok: false, failure: { code: "call/invalid-input" } });
  const local = defineAgent({
    name: "local",
    capabilities: { double: { input: z.number(), output: z.number(), run: () => -1 } },
  });
  await client.spawn(local);
  expect(await client.call("double", 21)).toEqual({ ok: true, value: -1 });
});

test("a remote ref looks like a local one: call, tell, monitor", async () => {
  await using both = await pair();
  const ref = both.peer.ref("/worker/1");
  expect(ref).toMatchObject({ node: "server", path: "/worker/1", incarnation: both.agent.incarnation });
  expect(await ref.call("double", 2)).toEqual({ ok: true, value: 4 });
  const first = ref.monitor();
  const second = both.peer.ref("/nobody/1").monitor();
  expect(ref.tell("crash", null)).toBe("accepted");
  expect(await first).toMatchObject({ reason: "crashed", path: "/worker/1", incarnation: ref.incarnation });
  expect(await second).toMatchObject({ reason: "gone" });
  expect(await both.peer.ref("/nobody/1").call("double", 1)).toMatchObject({ failure: { code: "agent/stopped" } });
});

test("key, run, decision, baggage, trace and budget cross the wire, and progress and spending come back", async () => {
  await using both = await pair();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const seen: unknown[] = [];
  const options = {
    key: "k1",
    runId: "r1",
    decisionId: "d1",
    baggage: { tenant: "ünïcode \u{1F600}".repeat(60) },
    traceparent: `00-${trace}-b7ad6b7169203331-01`,
    onProgress: (progress: unknown) => seen.push(progress),
  };
  const { baggage } = options;
  expect(await both.client.call("carried", null, options)).toEqual({
    ok: true,
    value: { key: "k1", runId: "r1", decisionId: "d1", baggage, trace },
  });
  expect(seen).toEqual([{ fraction: 0.5, note: "half" }]);
  const budget = { tokens: 50 };
  const relay = defineAgent({
    name: "relay",
    capabilities: {
      relay: {
        input: z.null(),
        output: z.array(z.string()),
        run: async ({ call }) => {
          const outcomes = [await call("carried", null), await call("carried", null)];
          return outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.failure.code));
        },
      },
    },
  });
  await both.client.spawn(relay);
  expect(await both.client.call("relay", null, { budget })).toEqual({
    ok: true,
    value: ["ok", "call/budget-exhausted"],
  });
});

test("a caller that gives up has the handler told on the other node; a deadline crosses the wire", async () => {
  await using both = await pair();
  const started = Promise.withResolvers<void>();
  waiting.set("/worker/1", started.resolve);
  const controller = new AbortController();
  const called = both.client.call("wait", null, { signal: controller.signal });
  await started.promise;
  aborted.length = 0;
  controller.abort();
  expect(await called).toMatchObject({ ok: false, failure: { code: "call/cancelled" } });
  expect(await both.client.call("wait", null, { timeoutMs: 30 })).toMatchObject({ failure: { code: "call/timeout" } });
  // The other node hears of it after whoever gave up; the test's own deadline bounds it.
  while (aborted.length === 0) await new Promise((resolve) => setImmediate(resolve));
});

test("when the session dies, calls are indeterminate, monitors hear once, and later tells are dead letters with ids", async () => {
  await using both = await pair();
  const { client, listener, peer } = both;
  const letters: StreamEvent[] = [];
  const events = client.events({ type: "message.dead" });
  const reading = (async () => {
    for await (const event of events) letters.push(event);
  })();
  const started = Promise.withResolvers<void>();
  waiting.set("/worker/1", started.resolve);
  const ref = peer.ref("/worker/1");
  const called = ref.call("wait", null);
  const down = ref.monitor();
  await started.promise;
  const closing = peer.close();
  expect(await called).toMatchObject({ ok: false, failure: { code: "remote/indeterminate" } });
  expect(await down).toMatchObject({ reason: "noconnection" });
  await closing;
  expect(ref.tell("double", 1)).toBe("stopped");
  expect(await ref.call("double", 1)).toMatchObject({ failure: { code: "remote/unreachable" } });
  await listener.close();
  await client.close();
  await reading;
  expect(letters).toEqual([
    expect.objectContaining({
      data: expect.objectContaining({ reason: "remote", capability: "double", id: expect.any(String) }) as unknown,
    }),
  ]);
});

test("grants bound what a peer reaches: agents, watching, control and spawning", async () => {
  await using both = await pair({ grants: ["tell:cap:double"] });
  const { client, peer } = both;
  expect(peer.capabilities).toEqual(["double"]);
  expect(peer.agents).toEqual([]);
  expect(await client.call("double", 1)).toEqual({ ok: true, value: 2 });
  const ref = peer.ref("/worker/1");
  expect(await ref.call("double", 1)).toMatchObject({ failure: { code: "remote/forbidden" } });
  await expect(ref.monitor()).rejects.toMatchObject({ code: "remote/forbidden" });
  await expect(ref.stop()).rejects.toMatchObject({ code: "remote/forbidden" });
  await expect(peer.spawn("worker@1")).rejects.toMatchObject({ code: "remote/forbidden" });
});

test("a peer spawns by an exposed name, stops what it may, and what it spawned ends with its session", async () => {
  await using server = await createTroupe({ node: "server" });
  const grants = ["spawn:worker@1", "tell:/*", "watch:/*", "tell:node:control"];
  await using listener = await server.listen({ port: 0, auth, grants, spawn: [worker] });
  await using client = await createTroupe({ node: "client" });
  const peer = await client.connect(listener.url, { auth });
  const [one, two] = [await peer.spawn("worker@1"), await peer.spawn("worker@1")];
  expect(await two.call("double", 4)).toEqual({ ok: true, value: 8 });
  await expect(peer.spawn("other@1")).rejects.toMatchObject({ code: "remote/forbidden" });
  const down = one.monitor();
  await one.stop();
  expect(await down).toMatchObject({ reason: "stopped" });
  const ended = server.agents.list().map(({ id }) => id);
  expect(ended).toEqual([two.path]);
  const events = server.events({ type: "agent.stopped" });
  await peer.close();
  for await (const event of events) {
    expect(event.agent).toBe(two.path);
    break;
  }
});

test("what a peer has spawned and what has ended since makes room for another", async () => {
  const clock = new FakeClock(Date.now());
  await using server = await createTroupe({ node: "server", ports: { clock } });
  const grants = ["spawn:worker@1", "tell:/*", "watch:/*", "tell:node:control"];
  await using listener = await server.listen({ port: 0, auth, grants, spawn: [worker] });
  await using client = await createTroupe({ node: "client" });
  const peer = await client.connect(listener.url, { auth });
  for (let child = 0; child < spawnedMax; child += 1) {
    const ref = await peer.spawn("worker@1");
    if (child % 2 === 0) await ref.stop();
    else {
      // Its stack stays there: it holds the folders of that machine.
      const outcome = await ref.call("crash", null);
      if (outcome.ok) throw new Error("it crashes");
      expect(outcome.failure.code).toBe("agent/crashed");
      expect(outcome.failure.data).toEqual({ agent: expect.any(String), cause: "Error: broken" });
    }
  }
  await expect(peer.spawn("worker@1")).rejects.toThrow("a peer may spawn 10 agents a second here");
  await clock.advance(1_000);
  expect((await peer.spawn("worker@1")).path).toMatch(/^\/worker\//);
});

test("off loopback nothing is listened on without authentication, and a wrong token is refused", async () => {
  await using server = await createTroupe();
  await expect(server.listen({ port: 0, host: "0.0.0.0" })).rejects.toMatchObject({ code: "usage/invalid-options" });
  await expect(server.listen({ port: 0, auth: { token: "short" } })).rejects.toThrow(/at least 16 characters/);
  await using listener = await server.listen({ port: 0, auth });
  await using client = await createTroupe();
  const wrong = client.connect(listener.url, { auth: { token: "another secret of this test" } });
  await expect(wrong).rejects.toThrow(/4401/);
  await expect(wrong).rejects.not.toThrow(/secret/);
});

test("two peers share the calls, and one that is gone is passed over", async () => {
  await using client = await createTroupe({ node: "client" });
  const servers = [];
  for (const name of ["one", "two"]) {
    const named = defineAgent({
      name: "named",
      concurrency: 10,
      capabilities: {
        name: {
          input: z.null(),
          output: z.string(),
          run: () => new Promise<string>((resolve) => setImmediate(() => resolve(name))),
        },
      },
    });
    const server = await createTroupe({ node: name });
    await server.spawn(named);
    await client.connect((await server.listen({ port: 0 })).url);
    servers.push(server);
  }
  const ask = async (): Promise<string[]> => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => client.call("name", null)));
    return outcomes.map((outcome) => (outcome.ok ? String(outcome.value) : outcome.failure.code));
  };
  expect(new Set(await ask())).toEqual(new Set(["one", "two"]));
  await servers[0]?.close();
  expect(new Set(await ask())).toEqual(new Set(["two"]));
  await servers[1]?.close();
  expect(new Set(await ask())).toEqual(new Set(["remote/unreachable"]));
});

test("two peers may choose the same key: each gets its own answer, and the same one again", async () => {
  let runs = 0;
  const counter = defineAgent({
    name: "counter",
    capabilities: { count: { input: z.null(), output: z.number(), run: () => (runs += 1) } },
  });
  await using server = await createTroupe({ agents: [counter], node: "server" });
  await server.spawn(counter);
  const listener = await server.listen({ port: 0, auth });
  await using first = await createTroupe({ node: "first" });
  await using second = await createTroupe({ node: "second" });
  await first.connect(listener.url, { auth });
  await second.connect(listener.url, { auth });
  const options = { key: "order-1" };
  expect(await first.call("count", null, options)).toEqual({ ok: true, value: 1 });
  expect(await second.call("count", null, options)).toEqual({ ok: true, value: 2 });
  expect(await first.call("count", null, options)).toEqual({ ok: true, value: 1 });
  expect(await server.call("count", null, options)).toEqual({ ok: true, value: 3 });
});

test("a tell that carries more than a frame may is a dead letter, and does not arrive without it", async () => {
  await using both = await pair();
  const { client, peer } = both;
  const letters: StreamEvent[] = [];
  const events = client.events({ type: "message.dead" });
  const reading = (async () => {
    for await (const event of events) letters.push(event);
  })();
  // A control character takes six characters of JSON, so 4,000 of them are more than the headers hold.
  const baggage = { tenant: "\u0001".repeat(4_000) };
  expect(peer.ref("/worker/1").tell("crash", null, { baggage })).toBe("stopped");
  expect(await client.call("double", 1, { baggage })).toMatchObject({ ok: false });
  expect(await client.call("double", 1)).toEqual({ ok: true, value: 2 });
  await client.close();
  await reading;
  expect(letters).toEqual([
    expect.objectContaining({ data: expect.objectContaining({ reason: "remote", capability: "crash" }) as unknown }),
  ]);
});

test("a name that no other node would take is refused before anything is opened or dialled", async () => {
  await using troupe = await createTroupe({ node: "my node" });
  const refusal = { code: "usage/invalid-options", message: expect.stringContaining('"my node"') as unknown };
  await expect(troupe.listen({ port: 0 })).rejects.toMatchObject(refusal);
  await expect(troupe.connect("ws://127.0.0.1:1/")).rejects.toMatchObject(refusal);
});
