import { expect, test } from "vitest";
import { heartbeatsMissedMax } from "../../machines/session/limits.ts";
import { nextAlarm } from "../../machines/session/liveness.ts";
import { memoryWorld } from "../conformance/memory-world.ts";
import { Story } from "../machines/session/transcript.ts";

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

test.each([
  [1, 100],
  [3_600_000, 60_000],
])(
  "a listener that names a heartbeat of %i ms has it taken for %i ms: no flood of beats, no dead link kept",
  (namedMs, takenMs) => {
    const story = new Story({ heartbeatMs: 5_000 });
    const attach = { type: "attach", pipe: 1, peerRecv: 0, limit: 8, now: 0, load: 0, beatMs: namedMs } as const;
    story.tell(attach);
    const beatMs = Math.min(5_000, takenMs);
    expect(nextAlarm(story.state)).toBe(beatMs);
    expect(story.wait(beatMs)).toEqual(["send I a=0 l=8 lag=0 load=0 on 1"]);
    const silentMs = heartbeatsMissedMax * Math.max(5_000, takenMs);
    expect(story.wait(silentMs - beatMs - 1)).not.toContain("cut 1 4440 (no sign of life)");
    expect(story.wait(1)).toContain("cut 1 4440 (no sign of life)");
  },
);
