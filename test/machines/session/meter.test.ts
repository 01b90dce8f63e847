import { describe, expect, test } from "vitest";
import { windowBytesMax, windowMessagesMax } from "../../../machines/session/limits.ts";
import { Meter } from "../../../machines/session/meter.ts";
import { frameBytesMax } from "../../../machines/wire/limits.ts";
import { Story } from "./transcript.ts";

describe("what a peer may send", () => {
  const rate = { messagesPerSecond: 10_000, bytesPerSecond: 100_000_000 } as const;

  test("is a second's worth at once, then as much as time brings; what is too much takes nothing", () => {
    const meter = new Meter(rate, 0);
    expect(meter.take(10_000, 0, 0)).toBe(0);
    expect(meter.take(1, 0, 0)).toBe(1_000);
    expect(meter.take(11, 0, 1)).toBe(999);
    expect(meter.take(10, 0, 1)).toBe(0);
    expect(meter.take(1, 0, 1)).toBe(1_000);
    expect(meter.take(10_000, 0, 1_001)).toBe(0);
  });

  test("counts bytes beside messages, and the wait is until both are free again", () => {
    const meter = new Meter(rate, 0);
    expect(meter.take(5_000, 100_000_000, 0)).toBe(0);
    expect(meter.take(1, 1, 250)).toBe(0);
    expect(meter.take(1, 25_000_000, 250)).toBe(751);
    expect(meter.take(1, 24_999_999, 250)).toBe(0);
  });

  test("does not grow beyond a second's worth, however long nothing comes", () => {
    const meter = new Meter(rate, 0);
    expect(meter.take(10_001, 0, 3_600_000)).toBe(1);
    expect(meter.take(10_000, 0, 3_600_000)).toBe(0);
  });

  test("holds a whole window even at the lowest rate, which comes at once after a lost connection", () => {
    const meter = new Meter({ messagesPerSecond: 1, bytesPerSecond: 1 }, 0);
    expect(meter.take(windowMessagesMax, windowBytesMax + frameBytesMax, 0)).toBe(0);
    expect(meter.take(1, 1, 999)).toBe(windowBytesMax * 1_000 + frameBytesMax * 1_000 - 999);
  });
});

describe("a peer that sends more than it may", () => {
  test("is told when to come again, and its session goes on where it was", () => {
    const story = new Story({ role: "acceptor" });
    story.attach(1);
    story.batch(1, [1, 2]);
    expect(story.tell({ type: "flooded", pipe: 1, waitMs: 400, now: 0 })).toEqual([
      "send E code=4429 message=more messages or bytes a second than are taken here retryAfterMs=400 on 1",
      "close 1 4429 (more messages or bytes a second than are taken here)",
      "up -> resuming",
    ]);
    // What is still on its way on that connection is not heard.
    expect(story.batch(1, [3])).toEqual([]);
    expect(story.tell({ type: "flooded", pipe: 1, waitMs: 400, now: 0 })).toEqual([]);
    expect(story.lose(1, 4429)).toEqual([]);
    story.attach(2);
    expect(story.batch(2, [3])).toEqual(["deliver 3=p3"]);
  });

  test("comes back well before the session ends, however long its bucket takes to fill", () => {
    const story = new Story({ role: "acceptor", ttlMs: 10_000 });
    story.attach(1);
    const [said] = story.tell({ type: "flooded", pipe: 1, waitMs: 90_000, now: 0 });
    expect(said).toContain("retryAfterMs=5000");
  });

  test("is told whole milliseconds, since a frame with any other number is no frame", () => {
    const story = new Story({ role: "acceptor", ttlMs: 1_001 });
    story.attach(1);
    const [said] = story.tell({ type: "flooded", pipe: 1, waitMs: 90_000, now: 0 });
    expect(said).toMatch(/retryAfterMs=501 on 1$/);
  });

  test("is not dialled again before that time by the side that sent it away", () => {
    const story = new Story();
    story.attach(1);
    expect(story.tell({ type: "flooded", pipe: 1, waitMs: 400, now: 0 }).at(-1)).toBe("dial within 400..650");
  });
});
