import { describe, expect, test } from "vitest";
import { closeCodes } from "../../machines/wire/close-codes.ts";
import type { SessionFrame, Welcome } from "../../machines/wire/frames.ts";
import type { Pipe } from "../../src/ports/transport.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { ownLimits } from "../../src/remote/peer-session.ts";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { TestHost } from "../conformance/transport-host.ts";

const seed = 11;

/** A dialer, and a listener that lets everybody in and then does as the test says. */
async function scene() {
  const clock = new FakeClock(0);
  const [random, ids] = [seededRandom(seed), seededIds(seed)];
  const net = new MemoryNetwork({ clock, random, latencyMs: 0 });
  /** When it was dialled, and for which session. */
  const dials: { readonly at: number; readonly session: string }[] = [];
  let pipe: Pipe | undefined;
  const { url } = net.listen("there", (accepted) => {
    pipe = accepted;
    accepted.listen({
      frame(text) {
        const reading = jsonCodec.read(text);
        if (reading.kind !== "frame" || reading.frame.t !== "H") return;
        const id = reading.frame.sess?.id ?? "";
        const resumed = dials.some(({ session }) => session === id);
        dials.push({ at: clock.now(), session: id });
        const sess = { id, resumed, recv: 0, ttl: 60_000 };
        const welcome: Welcome = {
          t: "W",
          v: 1,
          node: "there",
          inc: "1",
          sess,
          lim: ownLimits,
          grant: [],
          hb: 5_000,
        };
        accepted.send(jsonCodec.write(welcome));
      },
      drained() {},
      closed() {},
    });
  });
  const hosting = new TestHost([]);
  const here = new RemoteNode({ node: "here", clock, random, ids, hosting, auth: {}, grants: () => [] });
  const dialer = here.dial({ url, transport: net, auth: {} });
  await clock.advance(500);
  expect([dialer.state, dials.length]).toEqual(["up", 1]);
  return {
    clock,
    dialer,
    dials,
    hang: async (code: number, ...words: readonly SessionFrame[]) => {
      for (const frame of words) pipe?.send(jsonCodec.write(frame));
      pipe?.close(code, "");
      await clock.advance(1);
    },
  };
}

const codesOf = {
  // Those that the protocol does not name say nothing of the session.
  "goes on with the session": [1001, 1005, 1006, 1008, 1011, 1012, 4408, 4440, 4500, 4429, 4503, 4999],
  "begins another session": [1000, 1002, 1003, 1007, 1009, 4400, 4404, 4410, 4413, 4430],
} as const;
const final = [4401, 4403, 4406, 4409] as const;
/** Who is told when to come again, and how. */
const words: readonly SessionFrame[] = [
  { t: "G", code: 4503, retryAfterMs: 5_000 },
  { t: "E", code: 4429, message: "later", retryAfterMs: 5_000 },
];

describe.each(Object.entries(codesOf))(`after a close a dialer dials again, and %s (seed ${seed})`, (what, codes) => {
  test.each(codes)("%i", async (code) => {
    const { clock, dialer, dials, hang } = await scene();
    await hang(code);
    await clock.advance(1_000);
    expect([dialer.state, dials.length]).toEqual(["up", 2]);
    expect(dials[1]?.session === dials[0]?.session).toBe(what === "goes on with the session");
    void dialer.close();
    await clock.advance(60_000);
    expect([dials.length, clock.waiting]).toEqual([2, 0]);
  });

  test.each(
    codes.flatMap((code) => words.map((word) => [code, word.t === "G" ? "a go-away" : "an error", word] as const)),
  )("%i, not before the time that %s named", async (code, _, word) => {
    const { clock, dialer, dials, hang } = await scene();
    const first = clock.now();
    await hang(code, word);
    await clock.advance(10_000);
    expect(dials).toHaveLength(2);
    expect((dials[1]?.at ?? 0) - first).toBeGreaterThanOrEqual(5_000);
    // It counts once.
    const second = clock.now();
    await hang(1006);
    await clock.advance(3_000);
    expect((dials[2]?.at ?? Number.NaN) - second).toBeLessThan(2_000);
    void dialer.close();
    await clock.advance(60_000);
  });

  test.each(codes)("%i, but not where this side closes the link meanwhile", async (code) => {
    const { clock, dialer, dials, hang } = await scene();
    await hang(code, { t: "G", code: 4503, retryAfterMs: 5_000 });
    void dialer.close();
    await clock.advance(60_000);
    expect([dialer.state, dials.length, clock.waiting]).toEqual(["down", 1, 0]);
  });
});

test.each(final)(`after a close with %i a dialer never dials again (seed ${seed})`, async (code) => {
  const { clock, dialer, dials, hang } = await scene();
  await hang(code);
  await clock.advance(60_000);
  expect([dialer.state, dials.length, clock.waiting]).toEqual(["down", 1, 0]);
  await expect(dialer.ready()).rejects.toThrow(String(code));
});

describe("a listener whose guest closes", () => {
  /** A session that a guest has opened, and closed its connection with a code. */
  const sessionsAfter = async (code: number): Promise<readonly [sessions: number, ends: readonly string[]]> => {
    const clock = new FakeClock(0);
    const [random, ids] = [seededRandom(seed), seededIds(seed)];
    const net = new MemoryNetwork({ clock, random, latencyMs: 0 });
    const ends: string[] = [];
    const node = new RemoteNode({
      node: "there",
      clock,
      random,
      ids,
      hosting: new TestHost([]),
      auth: { open: true },
      grants: () => [],
      left: (_, reason) => ends.push(reason),
    });
    const place = net.listen("there", (pipe) => node.accept(pipe));
    const pipe = await net.dial(place.url, { codecs: [jsonCodec], signal: new AbortController().signal });
    pipe.listen({ frame() {}, drained() {}, closed() {} });
    const lim = { frame: 1_048_576, msgs: 64, bytes: 1_000_000 };
    const names = { node: "guest", inc: "1", nonce: "00".repeat(16), codec: "json" };
    pipe.send(jsonCodec.write({ t: "H", v: [1], ...names, feat: [], lim, auth: { k: "none" } }));
    await clock.advance(1);
    expect(node.sessions).toHaveLength(1);
    pipe.close(code, "");
    await clock.advance(1);
    const found = [node.sessions.length, [...ends]] as const;
    void node.close();
    await clock.advance(60_000);
    return found;
  };

  test.each(codesOf["goes on with the session"])("with %i keeps the session, which may be resumed", async (code) => {
    expect(await sessionsAfter(code)).toEqual([1, []]);
  });

  test.each([...codesOf["begins another session"], ...final])("with %i ends the session at once", async (code) => {
    const [sessions, ends] = await sessionsAfter(code);
    expect([sessions, ends.length]).toEqual([0, 1]);
    const breaches: readonly number[] = [1002, 1003, 1007, 1009, 4400, 4413];
    expect(ends[0] === "protocol").toBe(breaches.includes(code));
  });
});

test("every code of the protocol has its sentence", () => {
  const said = new Set<number>([...Object.values(codesOf).flat(), ...final]);
  expect(Object.keys(closeCodes).filter((code) => !said.has(Number(code)))).toEqual([]);
});
