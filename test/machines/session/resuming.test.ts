import { describe, expect, test } from "vitest";
import { nextAlarm } from "../../../machines/session/liveness.ts";
import type { Packed } from "../../../machines/wire/codec.ts";
import type { Draft } from "../../../machines/wire/envelope.ts";
import { draftOf, Story } from "./transcript.ts";

describe("a lost connection", () => {
  test("is dialled again, and exactly what the peer has not got is sent again", () => {
    const story = new Story();
    story.attach(1);
    story.send("a", "b", "c");
    story.flush();
    expect(story.lose(1)).toEqual(["up -> resuming", "dial within 0..250"]);
    story.send("d");
    expect(story.flush()).toEqual([]);
    expect(story.attach(2, 2, 10)).toEqual(["resuming -> up", "send I a=0 l=8 lag=0 load=0 on 2", "wake"]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [3=c 4=d] on 2"]);
    expect(story.state.resumes).toBe(1);
  });

  test("may be followed by one with another codec: what is left is encoded anew, at its place and size", () => {
    let codec = "old";
    const pack = ({ id }: { readonly id: string }, seq: number): Packed => ({
      data: `${seq}=${id}(${codec})`,
      bytes: codec === "old" ? 10 : 30,
    });
    const story = new Story({ pack, windowBytes: 60 });
    story.attach(1);
    story.send("a", "b", "c", "d");
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a(old) 2=b(old) 3=c(old) 4=d(old)] on 1"]);
    story.lose(1);
    codec = "new";
    story.tell({ type: "attach", pipe: 2, peerRecv: 1, limit: 9, now: 0, load: 0, repack: true });
    expect(story.state.outbox.bytes).toBe(90);
    expect(story.flush()).toEqual(["send M a=0 l=8 [2=b(new) 3=c(new)] on 2"]);
    story.hear(2, { t: "A", a: 3, l: 9 });
    expect(story.flush()).toEqual(["send M a=0 l=8 [4=d(new)] on 2"]);
    story.hear(2, { t: "A", a: 4, l: 9 });
    expect(story.state.outbox.bytes).toBe(0);
  });

  test("takes from the time that a message has left, down to none, what it waited on this side", () => {
    const pack = ({ id, ttl }: Draft, seq: number): Packed => {
      const data = `${seq}=${id}:${ttl}`;
      return { data, bytes: data.length };
    };
    const story = new Story({ pack });
    const call = (id: string, ttl: number): string[] =>
      story.tell({ type: "send", draft: draftOf(id, { k: "call", ttl }), due: story.now + ttl });
    story.attach(1, 0, 2);
    call("a", 2_000);
    story.now += 1;
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a:2000] on 1"]);
    story.lose(1);
    call("b", 500);
    story.now += 1_000;
    call("c", 700);
    story.attach(2, 0, 2);
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a:999 2=b:0] on 2"]);
    story.now += 300;
    story.hear(2, { t: "A", a: 2, l: 3 });
    expect(story.flush()).toEqual(["send M a=0 l=8 [3=c:400] on 2"]);
    story.lose(2);
    story.now += 100;
    story.tell({ type: "attach", pipe: 3, peerRecv: 2, limit: 9, now: story.now, load: 0, repack: true });
    expect(story.flush()).toEqual(["send M a=0 l=8 [3=c:300] on 3"]);
    story.hear(3, { t: "A", a: 3, l: 9 });
    expect(story.state.outbox.bytes).toBe(0);
  });

  test("resumes also when nothing was ever received", () => {
    const story = new Story();
    story.attach(1);
    story.send("a");
    story.flush();
    story.lose(1);
    expect(story.attach(2, 0)).toEqual(["resuming -> up", "send I a=0 l=8 lag=0 load=0 on 2", "wake"]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a] on 2"]);
  });

  test("waits longer each time, never longer than 30 s, and begins anew only after 10 healthy seconds", () => {
    const story = new Story();
    story.attach(1);
    const miss = (): string[] => story.tell({ type: "missed", code: 1006, now: story.now });
    expect(story.lose(1)).toEqual(["up -> resuming", "dial within 0..250"]);
    expect([miss(), miss(), miss()].flat()).toEqual([
      "dial within 0..500",
      "dial within 0..1000",
      "dial within 0..2000",
    ]);
    for (let count = 0; count < 20; count += 1) miss();
    expect(miss()).toEqual(["dial within 0..30000"]);
    story.attach(2);
    story.now += 9_999;
    expect(story.lose(2)).toContain("dial within 0..30000");
    story.attach(3);
    story.now += 10_000;
    expect(story.lose(3)).toContain("dial within 0..250");
  });

  test("a listener waits to be dialled", () => {
    const story = new Story({ role: "acceptor" });
    story.attach(1);
    expect(story.lose(1)).toEqual(["up -> resuming"]);
  });

  test("an overloaded peer is dialled after the time that it named", () => {
    const story = new Story();
    story.attach(1);
    expect(story.lose(1, 4503, 2_000)).toEqual(["up -> resuming", "dial within 2000..3000"]);
  });

  test("a long time that was named is drawn out by half of it, but never by more than 30 s", () => {
    const waitAfter = (retryAfterMs: number): string | undefined => {
      const story = new Story();
      story.attach(1);
      return story.lose(1, 4503, retryAfterMs).at(-1);
    };
    expect(waitAfter(50_000)).toBe("dial within 50000..75000");
    expect(waitAfter(100_000)).toBe("dial within 100000..130000");
  });

  test("whoever said when to come again is not dialled before, whatever the connection ends with", () => {
    const story = new Story();
    story.attach(1);
    story.hear(1, { t: "G", code: 4503, retryAfterMs: 3_000 });
    expect(story.lose(1, 1001)).toEqual(["draining -> resuming", "dial within 3000..4500"]);
    story.attach(2);
    expect(story.lose(2)).toEqual(["up -> resuming", "dial within 0..500"]);
    story.attach(3);
    story.hear(3, { t: "E", code: 4429, message: "slower", retryAfterMs: 700 });
    expect(story.lose(3, 4429)).toEqual(["up -> resuming", "dial within 700..1700"]);
  });

  test("makes the peer suspect after 5 s and ends the session after 60 s, with what was out", () => {
    const story = new Story();
    story.attach(1);
    story.send("a", "b");
    story.flush();
    story.hear(1, { t: "A", a: 1, l: 9 });
    story.lose(1);
    expect(nextAlarm(story.state)).toBe(5_000);
    expect(story.wait(4_999)).toEqual([]);
    expect(story.wait(1)).toEqual(["resuming -> suspect"]);
    expect(nextAlarm(story.state)).toBe(60_000);
    expect(story.wait(55_000)).toEqual(["suspect -> down", "ended expired 4410 unsettled [b]"]);
    expect(nextAlarm(story.state)).toBe(Number.POSITIVE_INFINITY);
    expect(story.attach(2, 1)).toEqual([]);
  });

  test.each([
    [4401, "refused"],
    [4403, "refused"],
    [4404, "restarted"],
    [4409, "refused"],
    [4410, "restarted"],
    [4400, "protocol"],
    [1002, "protocol"],
    [1009, "protocol"],
    [4430, "restarted"],
    [1000, "closed"],
  ])("with code %i the session ends: %s", (code, reason) => {
    const story = new Story();
    story.attach(1);
    story.send("a");
    expect(story.lose(1, code)).toEqual(["up -> down", `ended ${reason} ${code} unsettled [a]`]);
  });

  test("a peer that claims messages that were never sent, or forgot some it had, is refused", () => {
    const ahead = new Story();
    ahead.attach(1);
    ahead.send("a");
    ahead.lose(1);
    expect(ahead.attach(2, 1)).toContain("ended protocol 4400 unsettled [a]");
    const behind = new Story();
    behind.attach(1);
    behind.send("a");
    behind.flush();
    behind.hear(1, { t: "A", a: 1, l: 9 });
    behind.lose(1);
    expect(behind.attach(2, 0)).toContain("ended protocol 4400 unsettled []");
  });
});

describe("a newer connection", () => {
  test("closes the older before anything is sent again, and late frames of the older are not heard", () => {
    const story = new Story();
    story.attach(1);
    story.send("a");
    story.flush();
    expect(story.attach(2)).toEqual([
      "close 1 4409 (a newer connection took over)",
      "send I a=0 l=8 lag=0 load=0 on 2",
      "wake",
    ]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a] on 2"]);
    expect(story.batch(1, [1])).toEqual([]);
    expect(story.hear(1, { t: "A", a: 99, l: 99 })).toEqual([]);
    expect(story.lose(1)).toEqual([]);
    expect(story.tell({ type: "broken", pipe: 1, code: 4400, reason: "late" })).toEqual([]);
    expect(story.state.life).toBe("up");
  });
});
