import { expect, test, vi } from "vitest";
import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";
import { RunningClock } from "../conformance/running-clock.ts";

test("a door with a rate of its own sends a flood away; what was told arrives all the same, once and in order", async () => {
  const heard: number[] = [];
  const ear = defineAgent({
    name: "ear",
    mailbox: { capacity: 5_000 },
    capabilities: { hear: { input: z.number(), output: z.null(), run: ({ input }) => (heard.push(input), null) } },
  });
  // A process that stands still in the middle of a flood would let it pass: it was no flood by the machine's clock.
  using clock = new RunningClock();
  await using north = await createTroupe({ node: "north", agents: [ear], ports: { clock } });
  await north.spawn(ear);
  const { url } = await north.listen({ port: 0, rate: { messagesPerSecond: 2_000 } });
  await using south = await createTroupe({ node: "south" });
  const peer = await south.connect(url);
  const told = Array.from({ length: 4_000 }, (_, number) => number);
  for (const number of told) expect(peer.ref("/ear/1").tell("hear", number)).toBe("accepted");
  // Polls, since a peer tells nobody of its state; it is away for some hundred milliseconds.
  await vi.waitFor(() => expect(peer.state).toBe("resuming"), { interval: 2, timeout: 30_000 });
  expect(heard.length).toBeLessThan(told.length);
  expect(await peer.ref("/ear/1").call("hear", -1, { timeoutMs: 60_000 })).toEqual({ ok: true, value: null });
  expect(heard).toEqual([...told, -1]);
});

test.each([
  [{ messagesPerSecond: 99 }, /rate\.messagesPerSecond is 99; it must be a whole number from 100/],
  [{ bytesPerSecond: 1.5 }, /rate\.bytesPerSecond is 1\.5; it must be a whole number from 65536/],
])("a rate of %o is refused, since no honest peer could keep it", async (rate, why) => {
  await using troupe = await createTroupe();
  await expect(troupe.listen({ port: 0, rate })).rejects.toThrow(why);
});
