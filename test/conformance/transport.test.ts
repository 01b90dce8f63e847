import { describe, test } from "vitest";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { memoryWorld } from "./memory-world.ts";
import { calling, ordering } from "./transport-contract.ts";
import { endurance, watching } from "./transport-endings.ts";
import { strangers } from "./transport-strangers.ts";
import type { World, WorldOptions } from "./transport-world.ts";
import { webSocketWorld } from "./websocket-world.ts";

const worlds: readonly (readonly [string, (options: WorldOptions) => World])[] = [
  ["memory", memoryWorld],
  ["memory in MessagePack", (options) => memoryWorld({ ...options, codec: msgpackCodec })],
  ["WebSocket", webSocketWorld],
  ["WebSocket in MessagePack", (options) => webSocketWorld({ ...options, codec: msgpackCodec })],
];

describe.each(worlds)("a transport over %s", (_, make) => {
  test.each([...ordering, ...calling, ...watching, ...endurance, ...strangers])("%s", async (_title, run) => {
    await using world = make({ seed: 1 });
    await run(world);
  });
});
