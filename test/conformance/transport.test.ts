import { describe, test } from "vitest";
import { memoryWorld } from "./memory-world.ts";
import { calling, ordering } from "./transport-contract.ts";
import { endurance, watching } from "./transport-endings.ts";
import { strangers } from "./transport-strangers.ts";
import type { World, WorldOptions } from "./transport-world.ts";
import { webSocketWorld } from "./websocket-world.ts";

const worlds: readonly (readonly [string, (options: WorldOptions) => World])[] = [
  ["memory", memoryWorld],
  ["WebSocket", webSocketWorld],
];

describe.each(worlds)("a transport over %s", (_, make) => {
  test.each([...ordering, ...calling, ...watching, ...endurance, ...strangers])("%s", async (_title, run) => {
    await using world = make({ seed: 1 });
    await run(world);
  });
});
