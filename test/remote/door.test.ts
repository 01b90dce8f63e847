import { describe, expect, test } from "vitest";
import {
  crowdRetryMs,
  handshakeBurstMax,
  handshakesPerSecondMax,
  strangersMax,
  strangersPerAddressMax,
} from "../../src/remote/limits.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { HostilePipe } from "../campaigns/fuzz-pipe.ts";
import { TestHost } from "../conformance/transport-host.ts";

const seed = 1;

/** A door on a clock that stands still, and connections that say nothing to it. */
function scene() {
  const clock = new FakeClock(0);
  const [random, ids] = [seededRandom(seed), seededIds(seed)];
  const rest = { hosting: new TestHost([]), auth: { open: true }, grants: () => [] } as const;
  const node = new RemoteNode({ node: "door", clock, random, ids, ...rest });
  const words: unknown[] = [];
  const knock = (address: string): HostilePipe => {
    const pipe = new HostilePipe(address, jsonCodec, (data) => words.push(JSON.parse(data as string)));
    node.accept(pipe);
    return pipe;
  };
  return { clock, node, knock, words };
}

const tooMany = { t: "E", code: 4429, message: "too many connections", retryAfterMs: crowdRetryMs };

describe(`a door that nobody says anything to (seed ${seed})`, () => {
  test("lets so many of one address wait; the next one comes again soon, and finds a place that is free by then", () => {
    const { node, knock, words } = scene();
    const waiting = Array.from({ length: strangersPerAddressMax }, () => knock("one"));
    expect([node.strangers, words]).toEqual([strangersPerAddressMax, []]);
    expect([knock("one").code, words]).toEqual([4429, [tooMany]]);
    expect(knock("other").code).toBe(undefined);
    waiting[0]?.close(1006);
    expect(knock("one").code).toBe(undefined);
  });

  test("lets so many wait in all, from wherever they come, and is empty when their time is over", async () => {
    const { clock, node, knock, words } = scene();
    const pipes = Array.from({ length: strangersMax + 10 }, (_, index) => knock(`a${index}`));
    expect([node.strangers, words]).toEqual([strangersMax, Array.from({ length: 10 }, () => tooMany)]);
    expect(pipes.slice(-10).map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => 4429));
    await clock.advance(5_000);
    expect([node.strangers, pipes[0]?.code, clock.waiting]).toEqual([0, 4408, 0]);
  });

  test("takes a burst of one address and then its rate, and says when the next place is there", async () => {
    const { clock, knock, words } = scene();
    for (let times = 0; times < handshakeBurstMax; times += 1) knock("one").close(1006);
    expect(words).toEqual([]);
    const retryAfterMs = 1_000 / handshakesPerSecondMax;
    expect(knock("one").code).toBe(4429);
    expect(words).toEqual([{ t: "E", code: 4429, message: "too many handshakes", retryAfterMs }]);
    expect(knock("other").code).toBe(undefined);
    await clock.advance(retryAfterMs);
    expect([knock("one").code, knock("one").code]).toEqual([undefined, 4429]);
  });
});
