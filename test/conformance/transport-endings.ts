import { expect } from "vitest";
import { outboxBytesMax } from "../../machines/session/limits.ts";
import type { Rate } from "../../machines/session/meter.ts";
import {
  actor,
  backOf,
  delivered,
  expectTrue,
  pairOf,
  patient,
  settled,
  tellAll,
  type Scenario,
} from "./transport-contract.ts";
import { collectGarbage, keptBytes } from "./transport-world.ts";

export const watching: readonly Scenario[] = [
  [
    "a death is told exactly once, after the last message of the dead, and not after it was no longer watched",
    async (world) => {
      const pair = await pairOf(world);
      const { beta, link } = pair;
      const back = await backOf(world, pair);
      for (const path of ["/b", "/c"]) beta.host.start(path);
      const leave = new AbortController();
      const order: string[] = [];
      const watched = link.session.requests.monitor({ path: "/b" }).then((down) => order.push(down.reason));
      const left = link.session.requests.monitor({ path: "/c" }, leave.signal).catch(() => order.push("left"));
      await world.until("both are watched", () => beta.host.actors.get("/c")?.watchers.size === 1);
      leave.abort();
      await left;
      const heard = world.history.length;
      tellAll(back, "back", [0, 5]);
      beta.host.kill("/b", "crashed");
      beta.host.kill("/c");
      await settled(world, watched);
      expect(world.history.slice(heard).filter((deed) => deed.deed === "delivered").length).toBe(5);
      expect(order).toEqual(["left", "crashed"]);
      expect(await settled(world, link.session.requests.monitor({ path: "/b" }))).toEqual({ reason: "noproc" });
    },
  ],
  [
    "a thousand deaths in one turn are told in a few messages, each once",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const paths = Array.from({ length: 1_000 }, (_, number) => `/mass/${number}`);
      for (const path of paths) beta.host.start(path);
      let fell = 0;
      for (const path of paths) void link.session.requests.monitor({ path }).then(() => (fell += 1));
      await world.until("all are watched", () => beta.host.actors.get("/mass/999")?.watchers.size === 1);
      for (const path of paths) beta.host.kill(path);
      await world.until("all have fallen", () => fell === 1_000);
      expect(link.session.link.recv).toBeLessThan(20);
    },
  ],
  [
    "when the session's time is over, calls are indeterminate, tells are dead letters and each monitor falls once",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const { requests } = link.session;
      const call = requests.call(actor, "wait", { input: 1, options: patient });
      const monitor = requests.monitor(actor);
      await world.until("the host has both", () => beta.host.calls.length === 1);
      world.close(true);
      world.cut();
      await world.until("it is lost", () => link.state === "resuming");
      requests.tell(actor, "there", { input: 1 });
      await world.until("it is doubted", () => link.state === "suspect");
      expect(await settled(world, call)).toMatchObject({ failure: { code: "remote/indeterminate", retry: "later" } });
      expect(await settled(world, monitor)).toEqual({ reason: "noconnection" });
      expect(alpha.dead).toMatchObject([{ capability: "there", to: "/a", reason: "indeterminate" }]);
      await world.until("the listener ended it too", () => beta.remote.sessions.length === 0);
      expect(beta.host.aborted).toBe(1);
      expect(beta.host.actors.get("/a")?.watchers.size).toBe(0);
      world.close(false);
      await world.until("another session begins", () => link.state === "up");
      expect(link.session.requests).not.toBe(requests);
      expect(delivered(world, "there")).toBe(0);
    },
  ],
  [
    "a node that was restarted is not taken for the one before, on either side",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const call = link.session.requests.call(actor, "wait", { input: 1, options: patient });
      await world.until("the host has it", () => beta.host.calls.length === 1);
      const again = await world.node("alpha");
      const second = world.dial(again, beta);
      await world.until("the new start is there", () => second.state === "up");
      await world.until("the older session is gone", () => beta.left.includes("restarted"));
      expect(await settled(world, call)).toMatchObject({ failure: { code: "remote/indeterminate" } });
      expect(beta.host.aborted).toBe(1);
      expect(alpha.dead).toEqual([]);
      await settled(world, Promise.all([link.close(), second.close()]));
    },
  ],
];

/** More at once than the bucket of one session holds. */
function flood(
  what: string,
  rate: Partial<Rate>,
  { count, characters }: Readonly<{ count: number; characters: number }>,
): Scenario {
  return [
    `who sends more ${what} a second than are taken is sent away for a while, and nothing is lost`,
    async (world) => {
      const { alpha, link } = await pairOf(world, { pace: { rate } });
      for (let id = 0; id < count; id += 1) {
        const input = String(id).padStart(characters);
        expect(link.session.requests.tell(actor, "there", { input })).toBe("accepted");
      }
      await world.until("it is sent away", () => link.state === "resuming");
      expect(delivered(world, "there")).toBeLessThan(count);
      await world.until("all arrives", () => delivered(world, "there") === count, 30_000);
      expect(link.session.link.stats.resumes).toBeGreaterThanOrEqual(1);
      expect(alpha.dead).toEqual([]);
    },
  ];
}

export const restarting: readonly Scenario[] = [
  [
    "a node that crashes and starts again is another one: all that was out is told, and none of it reaches the next start",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const { session, peer } = link;
      const call = session.requests.call(actor, "wait", { input: 1, options: patient });
      const monitor = session.requests.monitor(actor);
      await world.until("both are there", () => beta.host.actors.get("/a")?.watchers.size === 1);
      world.swallow();
      tellAll(session, "there", [0, 3]);
      await world.pass(30);
      await beta.crash();
      const next = await world.restart(beta);
      next.host.start("/a");
      expect(await settled(world, call)).toMatchObject({ failure: { code: "remote/indeterminate" } });
      expect(await settled(world, monitor)).toEqual({ reason: "noconnection" });
      const letter = { capability: "there", reason: "indeterminate" };
      expect(alpha.dead).toMatchObject([letter, letter, letter]);
      await world.until("another session is up", () => link.state === "up" && link.session !== session);
      expect([link.peer?.inc, peer?.inc]).toEqual([next.remote.inc, beta.remote.inc]);
      expect(next.remote.inc).not.toBe(beta.remote.inc);
      tellAll(link.session, "next", [0, 3]);
      await world.until("the next start is told", () => delivered(world, "next") === 3);
      expect([delivered(world, "there"), next.host.calls.length]).toEqual([0, 0]);
    },
  ],
];

export const endurance: readonly Scenario[] = [
  [
    "a black hole is noticed on both sides within the deadline, and the session resumes",
    async (world) => {
      const pair = await pairOf(world);
      const back = await backOf(world, pair);
      await world.pass(30);
      world.swallow();
      tellAll(pair.link.session, "there", [0, 3]);
      world.close(true);
      // Three heartbeats, up to as much again for silences seen before, and one tick make 700 ms; a busy machine adds its own.
      await world.until("the dialer noticed", () => pair.link.state !== "up", 1_500);
      await world.until("the listener noticed", () => back.link.state !== "up", 1_500);
      world.close(false);
      await world.until("all arrives after all", () => delivered(world, "there") === 3);
      expectTrue(world);
    },
  ],
  [
    "a reader that stands still costs the sender no more memory than its outbox, and loses nothing",
    async (world) => {
      const { link } = await pairOf(world, { pace: { heartbeatMs: 5_000 } });
      world.stall(true);
      const { requests } = link.session;
      const text = "x".repeat(20_000);
      let sent = 0;
      for (let refusals = 0; refusals < 20;) {
        const pushed = requests.tell({ path: "/a" }, "big", { input: [sent, text] });
        if (pushed === "accepted") sent += 1;
        else {
          refusals += 1;
          await world.pass(2);
        }
      }
      expect(sent).toBeGreaterThan(100);
      expect(link.session.link.stats.bytes).toBeLessThan(outboxBytesMax + 30_000);
      const [kept, rss] = [keptBytes(), process.memoryUsage.rss()];
      // A hundred megabytes more, of which nothing is kept but the letters.
      for (let count = 0; count < 5_000; count += 1)
        if (requests.tell({ path: "/a" }, "big", { input: [sent, text] }) === "accepted") sent += 1;
      expect(keptBytes() - kept).toBeLessThan(8_388_608);
      expect(process.memoryUsage.rss() - rss).toBeLessThan(67_108_864);
      world.stall(false);
      await world.until("all arrives", () => delivered(world, "big") === sent, 15_000);
    },
  ],
  flood("messages", { messagesPerSecond: 1_000 }, { count: 2_500, characters: 1 }),
  flood("bytes", { bytesPerSecond: 2_000_000 }, { count: 400, characters: 20_000 }),
  [
    "a draining node ends what is under way, takes nothing new, and loses nothing",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      tellAll(link.session, "there", [0, 50]);
      beta.remote.drain({ retryAfterMs: 50 });
      await world.until("the dialer heard of it", () => link.state === "draining");
      const late = link.session.requests.call(actor, "echo", { input: 1, options: patient });
      expect(await settled(world, late)).toMatchObject({ ok: true });
      const other = world.dial(await world.node("gamma"), beta);
      await world.pass(100);
      expect(other.state).toBe("connecting");
      await settled(world, beta.remote.close());
      await world.until("the link ended in order", () => link.hasLeft);
      expect(delivered(world, "there")).toBe(50);
      expect(alpha.dead).toEqual([]);
      expectTrue(world);
      await settled(world, link.close());
      await settled(world, other.close());
    },
  ],
  [
    "a link that was closed in order can be opened again, many times, and leaves nothing behind",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      await settled(world, link.close());
      await world.until("it is closed there", () => beta.remote.sessions.length === 0);
      const before = world.held();
      const sessions: WeakRef<object>[] = [];
      for (let round = 0; round < world.cycles; round += 1) {
        const next = world.dial(alpha, beta);
        await world.until("it is up", () => next.state === "up");
        for (const session of [next.session, ...beta.remote.sessions]) sessions.push(new WeakRef(session));
        await settled(world, next.close());
      }
      await world.until("nothing is left", () => beta.remote.sessions.length === 0 && beta.remote.strangers === 0);
      expect(beta.left.filter((reason) => reason !== "closed")).toEqual([]);
      await world.until("no connection and no timer is left", () => world.held() <= before);
      collectGarbage();
      // The last ones may still be on the stack or in the hands of the system.
      expect(sessions.filter((session) => session.deref() !== undefined).length).toBeLessThan(20);
      expect(sessions.length).toBeGreaterThanOrEqual(world.cycles * 2);
    },
  ],
];
