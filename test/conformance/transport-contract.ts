import { expect } from "vitest";
import type { Dialer } from "../../src/remote/dialer.ts";
import { spawnedMax } from "../../src/remote/limits.ts";
import type { PeerSession } from "../../src/remote/peer-session.ts";
import { judgeHistory } from "./transport-history.ts";
import type { TestNode, World } from "./transport-world.ts";

/** One thing that every transport must do, as a story told in a world. */
export type Scenario = readonly [title: string, run: (world: World) => Promise<void>];

export const patient = { timeoutMs: 30_000 } as const;
export const actor = { path: "/a" } as const;

interface Pair {
  readonly alpha: TestNode;
  readonly beta: TestNode;
  readonly link: Dialer;
}

export async function pairOf(world: World, setup: Parameters<World["node"]>[1] = {}): Promise<Pair> {
  const alpha = await world.node("alpha");
  const beta = await world.node("beta", setup);
  alpha.host.start("/a");
  beta.host.start("/a");
  const link = world.dial(alpha, beta);
  await world.until("the link is up", () => link.state === "up");
  return { alpha, beta, link };
}

/** The session as the listening side sees it. */
export async function backOf(world: World, { beta }: Pair): Promise<PeerSession> {
  await world.until("the listener has the session", () => beta.remote.sessions.length === 1);
  return beta.remote.sessions[0] as PeerSession;
}

export function tellAll(session: PeerSession, stream: string, [from, to]: [number, number]): void {
  for (let id = from; id < to; id += 1) {
    expect(session.requests.tell(actor, stream, { input: id })).toBe("accepted");
  }
}

export function delivered(world: World, stream: string): number {
  return world.history.filter((deed) => deed.deed === "delivered" && deed.stream === stream).length;
}

export function expectTrue(world: World): void {
  expect(judgeHistory(world.history, "underway")).toEqual([]);
  expect(world.history.length).toBeGreaterThan(0);
}

export async function settled<Value>(world: World, promise: Promise<Value>): Promise<Value> {
  let is = false;
  const mark = (): void => void (is = true);
  promise.then(mark, mark);
  await world.until("it is settled", () => is);
  return promise;
}

const edgeValues: readonly unknown[] = [
  -0,
  2 ** 53,
  2 ** 53 + 2,
  2n ** 53n + 1n,
  1e308,
  "",
  "\ud800 lone",
  "𝒳 é \u0000 \u2028",
  [],
  {},
  [[], [null]],
  { "": 0, constructor: { name: "x" }, $: 1 },
  { blob: new Uint8Array(1_000).fill(7), at: new Date(0), big: 10n ** 30n },
  null,
  undefined,
];

export const ordering: readonly Scenario[] = [
  [
    "messages arrive in order, both ways at once, however the connection is cut",
    async (world) => {
      const pair = await pairOf(world);
      const back = await backOf(world, pair);
      for (let round = 0; round < 6; round += 1) {
        tellAll(pair.link.session, "there", [round * 200, round * 200 + 200]);
        tellAll(back, "back", [round * 200, round * 200 + 200]);
        if (round % 2 === 1) world.cut();
        await world.pass(20);
      }
      await world.until(
        "all is there",
        () => delivered(world, "there") === 1_200 && delivered(world, "back") === 1_200,
      );
      expectTrue(world);
    },
  ],
  [
    "two pairs do not wait for one another",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const gamma = await world.node("gamma");
      gamma.host.start("/a");
      const other = world.dial(gamma, beta);
      await world.until("both are up", () => other.state === "up");
      tellAll(link.session, "alpha", [0, 300]);
      tellAll(other.session, "gamma", [0, 300]);
      await world.until("both arrive", () => delivered(world, "alpha") + delivered(world, "gamma") === 600);
      expect(alpha.dead).toEqual([]);
      expectTrue(world);
    },
  ],
  [
    "every value that JSON and its edges have comes back the same",
    async (world) => {
      const { link } = await pairOf(world);
      const asked = edgeValues.map((input) => link.session.requests.call(actor, "echo", { input, options: patient }));
      const outcomes = await settled(world, Promise.all(asked));
      outcomes.forEach((outcome, index) => expect(outcome).toEqual({ ok: true, value: edgeValues[index] }));
      expect(Object.is((outcomes[0] as { value: unknown }).value, -0)).toBe(true);
    },
  ],
  [
    "a value with a key __proto__ is refused before it is sent, as input, as answer and as letter",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const input: unknown = JSON.parse('{"deep":[{"__proto__":{"admin":true}}]}');
      const { requests } = link.session;
      const asked = await settled(world, requests.call(actor, "echo", { input, options: patient }));
      const refusal = { code: "remote/unsendable", data: { path: "value.deep[0]" } };
      expect(asked).toMatchObject({ failure: refusal });
      expect(beta.host.calls).toEqual([]);
      const answered = requests.call(actor, "give", { input: 1, options: patient });
      await world.until("it is at the host", () => beta.host.calls.length === 1);
      beta.host.give({ ok: true, value: input });
      expect(await settled(world, answered)).toMatchObject({ failure: refusal });
      expect(requests.tell(actor, "there", { input })).toBe("stopped");
      expect(alpha.dead).toMatchObject([{ capability: "there", reason: "value.deep[0] has a key __proto__" }]);
    },
  ],
  [
    "a slow connection is no lost one: what is late arrives, and what follows it when it is fast again stays behind",
    async (world) => {
      const { link } = await pairOf(world);
      const { session } = link;
      world.delay(150);
      tellAll(session, "there", [0, 50]);
      await world.pass(50);
      world.delay(0);
      tellAll(session, "there", [50, 100]);
      await world.until("all is there", () => delivered(world, "there") === 100);
      expect(link.session).toBe(session);
      expectTrue(world);
    },
  ],
  [
    "a connection cut after any frame, or in the middle of one, loses and repeats nothing",
    async (world) => {
      const pair = await pairOf(world);
      const back = await backOf(world, pair);
      let sent = 0;
      for (let units = 1; units <= 14; units += 1) {
        await world.until("it is up again", () => pair.link.state === "up");
        world.cutAfter(units);
        for (let burst = 0; burst < 3; burst += 1) {
          tellAll(pair.link.session, "there", [sent, sent + 3]);
          tellAll(back, "back", [sent, sent + 3]);
          sent += 3;
          await world.pass(4);
        }
      }
      await world.until("all is there", () => delivered(world, "there") === sent && delivered(world, "back") === sent);
      expectTrue(world);
      expect(pair.link.session.link.stats.resumes).toBeGreaterThan(5);
    },
  ],
  [
    "a session resumes before anything was delivered, and fifty times in a row",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const before = link.session;
      for (let round = 0; round < 50; round += 1) {
        world.cut();
        await world.until("it is lost", () => link.state !== "up");
        await world.until("it is up again", () => link.state === "up");
      }
      expect(link.session).toBe(before);
      expect(beta.remote.sessions.length).toBe(1);
      tellAll(link.session, "there", [0, 5]);
      await world.until("they arrive", () => delivered(world, "there") === 5);
      expectTrue(world);
    },
  ],
  [
    "a welcome that is lost leaves no session behind that nobody knows of",
    async (world) => {
      const alpha = await world.node("alpha");
      const beta = await world.node("beta");
      beta.host.start("/a");
      const link = world.dial(alpha, beta);
      await world.until("the listener let it in", () => beta.remote.sessions.length === 1);
      if (link.state === "connecting") world.cut();
      await world.until("it is up", () => link.state === "up");
      expect(beta.remote.sessions.length).toBe(1);
      tellAll(beta.remote.sessions[0] as PeerSession, "back", [0, 3]);
      alpha.host.start("/a");
      await world.until("they arrive", () => delivered(world, "back") === 3);
      expectTrue(world);
    },
  ],
  [
    "a newer connection takes over from one that hangs, and the end of the older does not touch it",
    async (world) => {
      const pair = await pairOf(world);
      const back = await backOf(world, pair);
      tellAll(pair.link.session, "there", [0, 10]);
      await world.until("they arrive", () => delivered(world, "there") === 10);
      world.cutDialers();
      tellAll(back, "back", [0, 10]);
      await world.until("the dialer resumed", () => pair.link.session.link.stats.resumes === 1);
      await world.pass(30);
      tellAll(back, "back", [10, 20]);
      tellAll(pair.link.session, "there", [10, 20]);
      await world.until("all is there", () => delivered(world, "there") + delivered(world, "back") === 40, 3_000);
      expect([back.link.state, back.link.stats.resumes]).toEqual(["up", 1]);
      expectTrue(world);
    },
  ],
];

export const calling: readonly Scenario[] = [
  [
    "a call ends exactly once: with its value, its failure, its deadline or its cancellation",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const { requests } = link.session;
      const gone = new AbortController();
      const call = (capability: string, input: unknown, options = {}): Promise<{ ok: boolean }> =>
        requests.call(actor, capability, { input, options: { ...patient, ...options } });
      const asked = [
        call("echo", 1),
        call("fail", 1),
        call("wait", 1, { timeoutMs: 40 }),
        call("wait", 1, { signal: gone.signal }),
        call("broken", 1),
        call("echo", () => 1),
        call("large", 2_000_000),
        call("echo", "x".repeat(2_000_000)),
      ];
      await world.until("all wait at the host", () => beta.host.calls.length === 6);
      gone.abort();
      const outcomes = await settled(world, Promise.all(asked));
      expect(
        outcomes.map((one) => (one.ok ? "ok" : (one as never as { failure: { code: string } }).failure.code)),
      ).toEqual([
        "ok",
        "call/rejected",
        "call/timeout",
        "call/cancelled",
        "remote/unsendable",
        "remote/unsendable",
        "remote/unsendable",
        "remote/unsendable",
      ]);
      expect(outcomes[1]).toMatchObject({ failure: { message: "no", data: { why: "so" }, retry: "never" } });
      await world.until("the host was told to give up", () => beta.host.aborted === 2);
      expect(requests.open).toBe(0);
    },
  ],
  [
    "deadline, hops, trace and headers travel with a call",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      const options = { timeoutMs: 1_234, traceparent, tracestate: "a=b", hops: 3, headers: { key: "k1" } };
      await settled(world, link.session.requests.call(actor, "echo", { input: 1, options }));
      const [served] = beta.host.calls;
      // On real sockets a busy machine may let it wait a little before it goes.
      expect(served?.ttlMs).toBeLessThanOrEqual(1_234);
      expect(served?.ttlMs).toBeGreaterThan(0);
      expect(served).toMatchObject({
        hops: 2,
        traceparent,
        tracestate: "a=b",
        headers: { key: "k1" },
        peer: "alpha",
      });
      const { hops } = beta.host.calls[0] as { hops: number };
      const spent = link.session.requests.call(actor, "echo", { input: 1, options: { ...options, hops: hops - 2 } });
      expect(await settled(world, spent)).toMatchObject({ failure: { code: "remote/hops-exhausted" } });
    },
  ],
  [
    "a call that waited for its connection tells how much time it has left, and never less than none",
    async (world) => {
      const { beta, link } = await pairOf(world, { pace: { ttlMs: 10_000 } });
      const call = (input: string, timeoutMs: number): Promise<unknown> =>
        link.session.requests.call(actor, "echo", { input, options: { timeoutMs } });
      // The first went out and was lost on its way; the others waited for a connection.
      world.swallow();
      const asked = [call("sent", 9_000)];
      await world.pass(60);
      world.close(true);
      world.cut();
      await world.until("it is lost", () => link.state !== "up");
      asked.push(call("kept", 9_000), call("late", 50));
      await world.pass(150);
      world.close(false);
      await settled(world, Promise.all(asked));
      const left = new Map(beta.host.calls.map(({ input, ttlMs }) => [input, ttlMs]));
      expect(left.get("late")).toBe(0);
      expect(left.get("kept")).toBeLessThanOrEqual(8_860);
      expect(left.get("sent")).toBeLessThanOrEqual(8_800);
      expect(left.get("sent")).toBeGreaterThan(0);
    },
  ],
  [
    "a message to an incarnation that is gone reaches nobody else",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const old = beta.host.start("/b");
      const next = beta.host.start("/b");
      const { requests } = link.session;
      const call = (incarnation: number): Promise<unknown> =>
        settled(world, requests.call({ path: "/b", incarnation }, "echo", { input: 1, options: patient }));
      expect(await call(old)).toMatchObject({ failure: { code: "agent/stopped" } });
      expect(await call(next)).toMatchObject({ ok: true });
      expect(await settled(world, requests.monitor({ path: "/b", incarnation: old }))).toEqual({ reason: "noproc" });
      requests.tell({ path: "/b", incarnation: old }, "t", { input: 1 });
      await world.until("the letter comes back", () => alpha.dead.length === 1);
      expect(alpha.dead[0]).toMatchObject({ reason: "agent/stopped" });
    },
  ],
  [
    "a full mailbox answers busy, and its neighbours go on",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      beta.host.start("/full");
      const full = beta.host.actors.get("/full");
      if (full !== undefined) full.full = true;
      const { requests } = link.session;
      for (let id = 0; id < 500; id += 1) requests.tell({ path: "/full" }, "full", { input: id });
      tellAll(link.session, "there", [0, 500]);
      const refused = requests.call({ path: "/full" }, "echo", { input: 1, options: patient });
      expect(await settled(world, refused)).toMatchObject({ failure: { code: "call/busy", retry: "later" } });
      await world.until("the neighbour has all", () => delivered(world, "there") === 500);
      expect(alpha.dead.length).toBe(500);
      expectTrue(world);
    },
  ],
  [
    "what a handler emits waits for the caller's credit",
    async (world) => {
      const { link } = await pairOf(world);
      const items: unknown[] = [];
      const stream = { credit: 3, next: (item: unknown) => items.push(item) };
      const asked = link.session.requests.call(actor, "items", { input: 10, options: { ...patient, stream } });
      await world.until("the credit is used up", () => items.length === 3);
      await world.pass(60);
      expect(items).toEqual([1, 2, 3]);
      link.session.requests.grant(link.session.requests.lastId, 100);
      expect(await settled(world, asked)).toMatchObject({ value: "all" });
      expect(items).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    },
  ],
  [
    "spawning is by name, by grant and by quota, and ends with the session",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const spawn = (name: string, input: unknown = {}): Promise<unknown> =>
        settled(world, link.session.requests.spawn(name, input, patient));
      expect(await spawn("worker@2")).toMatchObject({ failure: { code: "remote/forbidden" } });
      expect(await spawn("worker@1", 7)).toMatchObject({ failure: { code: "call/invalid-input" } });
      expect(await spawn("worker@1")).toMatchObject({ value: { path: "/spawned/1" } });
      const many = Array.from({ length: spawnedMax }, () => link.session.requests.spawn("worker@1", {}, patient));
      const outcomes = await settled(world, Promise.all(many));
      expect(outcomes.filter((one) => !one.ok && one.failure.code === "system/full").length).toBeGreaterThan(0);
      expect(beta.host.spawned.length).toBeLessThanOrEqual(spawnedMax);
      await settled(world, link.close());
      await world.until("they are stopped", () => beta.host.actors.size === 1);
    },
  ],
];
