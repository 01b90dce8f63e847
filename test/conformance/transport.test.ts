import { describe, expect, test } from "vitest";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { memoryWorld } from "./memory-world.ts";
import { backOf, calling, delivered, ordering, pairOf } from "./transport-contract.ts";
import { endurance, restarting, watching } from "./transport-endings.ts";
import { limits } from "./transport-limits.ts";
import { strangers } from "./transport-strangers.ts";
import { tellThrough, type World, type WorldOptions } from "./transport-world.ts";
import { webSocketWorld } from "./websocket-world.ts";

const worlds: readonly (readonly [string, (options: WorldOptions) => World])[] = [
  ["memory", memoryWorld],
  ["memory in MessagePack", (options) => memoryWorld({ ...options, codec: msgpackCodec })],
  ["WebSocket", webSocketWorld],
  ["WebSocket in MessagePack", (options) => webSocketWorld({ ...options, codec: msgpackCodec })],
];

describe.each(worlds)("a transport over %s", (_, make) => {
  test.each([...ordering, ...calling, ...watching, ...restarting, ...endurance, ...strangers, ...limits])(
    "%s",
    async (_title, run) => {
      await tellThrough(make({ seed: 1 }), run);
    },
  );
});

describe.each([jsonCodec, msgpackCodec])("a narrow socket in $name", (codec) => {
  test("a message that takes longer than silence may last is no silence, and holds up no sign of life of the other side", async () => {
    const narrow = webSocketWorld({ seed: 1, codec });
    await tellThrough(narrow, async (world) => {
      const pair = await pairOf(world);
      const back = await backOf(world, pair);
      const { link } = pair.link.session;
      // 700 kB take 1.2 s; silence may last 600 ms at most.
      narrow.narrow(600);
      pair.link.session.requests.tell({ path: "/a" }, "big", { input: [1, "x".repeat(700_000)] });
      const heard = new Set<number>();
      await world.until("it arrives", () => heard.add(link.heardAt) && delivered(world, "big") === 1);
      expect([link.stats.resumes, back.link.stats.resumes]).toEqual([0, 0]);
      expect(heard.size).toBeGreaterThan(3);
    });
  });
});
