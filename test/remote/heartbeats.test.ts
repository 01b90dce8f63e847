import { expect, test } from "vitest";
import { memoryWorld } from "../conformance/memory-world.ts";

const seed = 1;

test.each([
  [100, 1_000],
  [1_000, 100],
  [100, 60_000],
])(
  `a dialer whose heartbeat is %i ms and a listener whose is %i ms keep an idle link (seed ${seed})`,
  async (dialerMs, listenerMs) => {
    await using world = memoryWorld({ seed });
    const alpha = await world.node("alpha", { pace: { heartbeatMs: dialerMs } });
    const beta = await world.node("beta", { pace: { heartbeatMs: listenerMs } });
    const link = world.dial(alpha, beta);
    await world.until("the link is up", () => link.state === "up");
    await world.pass(5_000);
    const [there] = beta.remote.sessions;
    expect([link.session.link.stats, there?.link.stats]).toMatchObject([
      { state: "up", resumes: 0 },
      { state: "up", resumes: 0 },
    ]);
  },
);

test(`a dialer whose own heartbeat is short notices within three of the listener's that it is gone (seed ${seed})`, async () => {
  await using world = memoryWorld({ seed });
  const alpha = await world.node("alpha", { pace: { heartbeatMs: 100, ttlMs: 60_000 } });
  const beta = await world.node("beta", { pace: { heartbeatMs: 1_000, ttlMs: 60_000 } });
  const link = world.dial(alpha, beta);
  await world.until("the link is up", () => link.state === "up");
  world.swallow();
  world.close(true);
  await world.pass(2_900);
  expect(link.state).toBe("up");
  await world.until("it is noticed", () => link.state !== "up", 3_200);
});
