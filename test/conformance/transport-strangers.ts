import { expect } from "vitest";
import type { WireData } from "../../machines/wire/codec.ts";
import { windowMessagesMax } from "../../machines/session/limits.ts";
import type { Envelope } from "../../machines/wire/envelope.ts";
import type { Batch, Frame, Hello, Welcome } from "../../machines/wire/frames.ts";
import type { Pipe } from "../../src/ports/transport.ts";
import { delivered, pairOf, type Scenario } from "./transport-contract.ts";
import { numberOf } from "./transport-host.ts";
import { testPace, type TestNode, type World } from "./transport-world.ts";

/** A bare connection and what came back on it. */
export interface Stranger {
  readonly frames: Frame[];
  readonly pipe: Pipe;
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** Says a frame, or something else that its codec can say; bytes and text go as they are where `raw`. */
  say(what: unknown): void;
  sayRaw(data: WireData): void;
}

export const helloOf = (more: Partial<Hello> = {}): Hello => ({
  t: "H",
  v: [1],
  node: "stranger",
  inc: "s1",
  nonce: "00".repeat(16),
  codec: "json",
  feat: [],
  lim: { frame: 1_048_576, msgs: 64, bytes: 1_000_000 },
  auth: { k: "none" },
  ...more,
});

/** A guest may be sent again what it has on another connection: that is no second delivery. */
function isNoted(world: World, stream: string, id: number): boolean {
  return world.history.some((one) => one.deed === "delivered" && one.stream === stream && one.id === id);
}

export async function strangerAt(world: World, node: TestNode): Promise<Stranger> {
  const pipe = await world.pipe(node);
  const stranger: Stranger = {
    frames: [],
    pipe,
    closed: undefined,
    say(what) {
      const { m = [] } = what as Partial<Batch>;
      for (const { k, ty: stream, p } of m)
        if (k === "tell") world.history.push({ deed: "said", stream, id: numberOf(p) });
      pipe.send(world.codec.write(what as Frame));
    },
    sayRaw: (data) => void pipe.send(data),
  };
  pipe.listen({
    frame(data) {
      const reading = world.codec.read(data);
      if (reading.kind !== "frame") return;
      const { frame } = reading;
      stranger.frames.push(frame);
      for (const { k, ty: stream, p } of frame.t === "M" ? frame.m : [])
        if (k === "tell" && !isNoted(world, stream, numberOf(p)))
          world.history.push({ deed: "delivered", stream, id: numberOf(p) });
    },
    drained() {},
    closed: (code, reason) => (stranger.closed = { code, reason }),
  });
  return stranger;
}

export async function guestAt(world: World, node: TestNode, more: Partial<Hello> = {}): Promise<[Stranger, Welcome]> {
  const guest = await strangerAt(world, node);
  guest.say(helloOf({ codec: world.codec.name, ...more }));
  await world.until("the guest is welcome", () => guest.frames.some((frame) => frame.t === "W"));
  return [guest, guest.frames.find((frame) => frame.t === "W") as Welcome];
}

const tellOf = (s: number, id = s): Envelope => ({ s, id: `t${id}`, k: "tell", f: "", to: "/a", ty: "raw", p: id });
const batchOf = (...m: Envelope[]): Frame => ({ t: "M", a: 0, l: 64, m });

export function messagesOf(guest: Stranger): Envelope[] {
  return guest.frames.flatMap((frame) => (frame.t === "M" ? frame.m : []));
}

let deep: unknown = 1;
for (let levels = 0; levels < 100; levels += 1) deep = [deep];

/** What is said first in a codec, and the codes that may come back. */
const openingsIn = (codec: string): readonly (readonly [what: string, say: unknown, codes: readonly number[]])[] => [
  ["a message before the handshake", batchOf(tellOf(1)), [4400]],
  ["a version of the future", helloOf({ codec, v: [9] }), [4406]],
  ["another codec", helloOf({ codec: codec === "json" ? "msgpack" : "json" }), [4406]],
  ["a wrong token", helloOf({ codec, auth: { k: "token", token: "wrong" } }), [4401]],
  ["no credentials", helloOf({ codec }), [4401]],
  ["a name that is none", helloOf({ codec, node: "a\nb" }), [4400]],
  ["deep nesting", { t: "H", x: deep }, [4400]],
  ["a key of the prototype", JSON.parse('{"t":"H","__proto__":{"v":[1]}}'), [4400]],
  ["too much", helloOf({ codec: "x".repeat(100_000) }), [4413, 1009]],
];
/** What is no frame in any codec. */
const garbage: readonly WireData[] = [
  "\u0000\u0001 not a frame",
  new Uint8Array([0xc1, 0x00, 0xff]),
  "",
  new Uint8Array(),
];

export const strangers: readonly Scenario[] = [
  [
    "each stranger gets the code it deserves, leaves nothing behind, and disturbs nobody",
    async (world) => {
      const token = { tokens: ["right"] };
      // Whoever is not silent must have time to speak on a machine that is busy.
      const beta = await world.node("beta", { auth: token, pace: { handshakeTimeoutMs: 1_500 } });
      beta.host.start("/a");
      const alpha = await world.node("alpha");
      const link = world.dial(alpha, beta, token);
      await world.until("an honest link is up", () => link.state === "up");
      for (const data of garbage) {
        const stranger = await strangerAt(world, beta);
        stranger.sayRaw(data);
        await world.until("garbage is answered", () => stranger.closed !== undefined);
        expect(stranger.closed?.code).toBe(4400);
      }
      for (const [what, say, codes] of openingsIn(world.codec.name)) {
        const stranger = await strangerAt(world, beta);
        stranger.say(say);
        await world.until(`${what} is answered`, () => stranger.closed !== undefined);
        expect(codes, what).toContain(stranger.closed?.code);
        expect(JSON.stringify([stranger.frames, stranger.closed])).not.toMatch(/wrong|right/);
      }
      const silent = await strangerAt(world, beta);
      await world.until("silence is answered", () => silent.closed !== undefined);
      expect(silent.closed?.code).toBe(4408);
      await world.until("nobody is at the door", () => beta.remote.strangers === 0);
      expect(beta.remote.sessions.length).toBe(1);
      expect(link.session.link.stats.resumes).toBe(0);
      const refused = world.dial(await world.node("gamma"), beta, { tokens: ["wrong"] });
      await world.until("a dialer stops for good", () => refused.state === "down");
      await expect(refused.ready()).rejects.toThrow(/refused \(4401\)/);
    },
  ],
  [
    "a message that is sent again is delivered once",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const [first, welcome] = await guestAt(world, beta);
      first.say(batchOf(tellOf(1), tellOf(2)));
      await world.until("both arrive", () => delivered(world, "raw") === 2);
      first.pipe.terminate();
      const [again, resumed] = await guestAt(world, beta, { sess: { id: welcome.sess.id, recv: 0 } });
      expect(resumed.sess).toMatchObject({ id: welcome.sess.id, resumed: true, recv: 2 });
      again.say(batchOf(tellOf(1), tellOf(2), tellOf(3)));
      await world.until("the new one arrives", () => delivered(world, "raw") >= 3);
      await world.pass(30);
      expect(delivered(world, "raw")).toBe(3);
      expect(link.state).toBe("up");
    },
  ],
  [
    "what an older connection still says after another took over, its end too, is not heard",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const [older, { sess }] = await guestAt(world, beta);
      const [newer, resumed] = await guestAt(world, beta, { sess: { id: sess.id, recv: 0 } });
      expect(resumed.sess).toMatchObject({ id: sess.id, resumed: true });
      older.say(batchOf(tellOf(1, 99)));
      older.say({ t: "A", a: 7, l: 1 });
      await world.until("the older one is closed", () => older.closed !== undefined);
      expect(older.closed?.code).toBe(4409);
      // The listener hears of the end of the older one a few turns after the guest does.
      await world.pass(30);
      newer.say(batchOf(tellOf(1), tellOf(2)));
      await world.pass(30);
      expect([newer.closed, delivered(world, "raw")]).toEqual([undefined, 2]);
      expect(world.history.filter(({ deed, id }) => deed === "delivered" && id === 99)).toEqual([]);
      expect(link.state).toBe("up");
    },
  ],
  [
    "what was not acknowledged is sent again on the next connection, in order, and nothing else is",
    async (world) => {
      const { beta } = await pairOf(world);
      const [first, { sess }] = await guestAt(world, beta);
      const session = beta.remote.sessions.find(({ peer }) => peer === "stranger");
      const tell = (id: number): unknown => session?.requests.tell({ path: "/a" }, "t", { input: id });
      for (const id of [1, 2, 3]) tell(id);
      await world.until("three arrive", () => messagesOf(first).length === 3);
      first.pipe.terminate();
      const [again] = await guestAt(world, beta, { sess: { id: sess.id, recv: 1 } });
      tell(4);
      await world.until("the last arrives", () => messagesOf(again).some(({ s }) => s === 4));
      expect(messagesOf(again).map(({ s, p }) => [s, p])).toEqual([2, 3, 4].map((s) => [s, s]));
    },
  ],
  [
    "nothing is sent beyond the credit, and an acknowledgement alone gives none",
    async (world) => {
      const { beta } = await pairOf(world);
      const [guest] = await guestAt(world, beta, { lim: { frame: 1_048_576, msgs: 4, bytes: 1_000_000 } });
      const session = beta.remote.sessions.find(({ peer }) => peer === "stranger");
      for (let id = 0; id < 20; id += 1) session?.requests.tell({ path: "/a" }, "t", { input: id });
      await world.until("four arrive", () => messagesOf(guest).length >= 4);
      await world.pass(40);
      expect(messagesOf(guest).length).toBe(4);
      guest.say({ t: "A", a: 4, l: 4 });
      await world.pass(40);
      expect(messagesOf(guest).length).toBe(4);
      guest.say({ t: "A", a: 4, l: 9 });
      await world.until("five more arrive", () => messagesOf(guest).length === 9);
      await world.pass(40);
      expect(messagesOf(guest).map((one) => one.s)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    },
  ],
  [
    "a session is not given to another node, nor to another start of the same one",
    async (world) => {
      const { beta } = await pairOf(world);
      const [, welcome] = await guestAt(world, beta);
      const sess = { id: welcome.sess.id, recv: 0 };
      const [, thief] = await guestAt(world, beta, { node: "thief", sess });
      expect(thief.sess).toMatchObject({ resumed: false, recv: 0 });
      const [, later] = await guestAt(world, beta, { inc: "s2", sess });
      expect(later.sess.resumed).toBe(false);
      await world.until("the older start's session is over", () => beta.left.includes("restarted"));
    },
  ],
  [
    "a guest reaches only what it was granted",
    async (world) => {
      const beta = await world.node("beta", { grants: ["tell:/a"] });
      for (const path of ["/a", "/b"]) beta.host.start(path);
      const [guest] = await guestAt(world, beta);
      const to = (s: number, k: Envelope["k"], path: string): Envelope => ({ ...tellOf(s), id: `g${s}`, k, to: path });
      guest.say(
        batchOf(to(1, "tell", "/a"), to(2, "tell", "/b"), to(3, "call", "/b"), to(4, "mon", "/a"), to(5, "spawn", "")),
      );
      await world.until("all is answered", () => messagesOf(guest).length >= 4);
      const answers = messagesOf(guest).map(({ k, re, p }) => [re, k, (p as { code?: string; reason?: string }).code]);
      expect(answers).toEqual([
        ["g2", "err", "remote/forbidden"],
        ["g3", "err", "remote/forbidden"],
        ["g5", "err", "remote/forbidden"],
        ["g4", "down", undefined],
      ]);
      expect(delivered(world, "raw")).toBe(1);
    },
  ],
  [
    "a guest that says too much, be it nothing but acknowledgements, is told when to come again, and disturbs nobody",
    async (world) => {
      const { beta, link } = await pairOf(world, { pace: { rate: { messagesPerSecond: 100 } } });
      const [guest, welcome] = await guestAt(world, beta);
      const noise = [{ t: "A", a: 0, l: 64 }, { t: "x-noise" }];
      for (let times = 0; times < windowMessagesMax; times += 1) for (const one of noise) guest.say(one);
      await world.until("it is closed", () => guest.closed !== undefined);
      expect(guest.closed?.code).toBe(4429);
      const said = guest.frames.find((frame) => frame.t === "E");
      expect(said).toMatchObject({ code: 4429, retryAfterMs: testPace.ttlMs / 2 });
      // Another connection does not fill the bucket.
      const [again, resumed] = await guestAt(world, beta, { sess: { id: welcome.sess.id, recv: 0 } });
      expect(resumed.sess.resumed).toBe(true);
      for (let times = 0; times < windowMessagesMax / 2; times += 1) again.say(noise[0]);
      await world.until("it is closed again", () => again.closed !== undefined);
      expect(again.closed?.code).toBe(4429);
      expect([link.state, link.session.link.stats.resumes]).toEqual(["up", 0]);
    },
  ],
  [
    "a guest that breaks the protocol loses its session, and nobody else does",
    async (world) => {
      const { beta, link } = await pairOf(world);
      const breaches: readonly (readonly [string, unknown, number[]])[] = [
        ["a gap", batchOf(tellOf(2)), [4400]],
        ["an acknowledgement of nothing", { t: "A", a: 7, l: 1 }, [4400]],
        ["another hello", helloOf(), [4400]],
        ["a kind nobody knows", { ...batchOf(tellOf(1)), m: [{ ...tellOf(1), k: "unheard-of" }] }, [4400]],
        ["too much", "x".repeat(16_000_000), [4413, 1009]],
      ];
      for (const [what, say, codes] of breaches) {
        const [guest] = await guestAt(world, beta);
        guest.say(say);
        await world.until("it is closed", () => guest.closed !== undefined);
        expect(codes, what).toContain(guest.closed?.code);
      }
      // Not even one that could be resumed is left.
      expect(beta.remote.sessions.filter(({ peer }) => peer === "stranger")).toEqual([]);
      expect([link.state, link.session.link.stats.resumes]).toEqual(["up", 0]);
    },
  ],
];
