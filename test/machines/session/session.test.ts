import { describe, expect, test } from "vitest";
import { outboxReserveMax } from "../../../machines/session/limits.ts";
import { nextAlarm } from "../../../machines/session/liveness.ts";
import { linkChart } from "../../../machines/session/machine.ts";
import { hasRoom, openSession } from "../../../machines/session/state.ts";
import { stepSession } from "../../../machines/session/step.ts";
import { settingsOf, Story } from "./transcript.ts";

describe("sending", () => {
  test("messages wait for the connection, then those of one turn travel together", () => {
    const story = new Story();
    expect(story.send("a", "b")).toEqual([]);
    expect(story.attach(1)).toEqual(["connecting -> up", "send I a=0 l=8 lag=0 load=0 on 1", "wake"]);
    expect(story.send("c")).toEqual([]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a 2=b 3=c] on 1"]);
    expect(story.flush()).toEqual([]);
  });

  test("nothing goes beyond the credit, which is absolute and never shrinks", () => {
    const story = new Story();
    story.attach(1, 0, 2);
    story.send("a", "b", "c", "d");
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a 2=b] on 1"]);
    expect(story.hear(1, { t: "A", a: 1, l: 2 })).toEqual(["wake"]);
    expect(story.flush()).toEqual([]);
    expect(story.hear(1, { t: "A", a: 2, l: 3 })).toEqual(["wake"]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [3=c] on 1"]);
    expect(story.hear(1, { t: "A", a: 3, l: 1 })).toEqual(["wake"]);
    expect(story.flush()).toEqual([]);
    expect(story.hear(1, { t: "A", a: 3, l: 9 })).toEqual(["wake"]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [4=d] on 1"]);
  });

  test("not more bytes are out than the window holds, but one message always may go", () => {
    const story = new Story({ windowBytes: 25 });
    story.attach(1);
    story.send("a", "b", "c");
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a 2=b] on 1"]);
    expect(story.hear(1, { t: "A", a: 2, l: 10 })).toEqual(["wake"]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [3=c] on 1"]);
    const tight = new Story({ windowBytes: 5 });
    tight.attach(1);
    tight.send("a", "b");
    expect(tight.flush()).toEqual(["send M a=0 l=8 [1=a] on 1"]);
  });

  test("thirty-two messages, or 16 KiB, do not wait for the end of the turn, unless the peer has given no credit", () => {
    const story = new Story();
    story.attach(1, 0, 36);
    const ids = Array.from({ length: 32 }, (_, at) => `m${at}`);
    expect(story.send(...ids)).toEqual(["wake", "send at once"]);
    expect(story.flush()).toHaveLength(1);
    // What the end of the turn was to send has gone.
    expect(story.flush()).toEqual([]);
    expect(story.send(...ids)).toEqual(["wake", "send at once"]);
    expect(story.flush()).toEqual([expect.stringMatching(/^send M a=0 l=8 \[33=m0 34=m1 35=m2 36=m3\] on 1$/)]);
    expect(story.send(...ids)).toEqual(["wake"]);
    const large = new Story({ pack: (draft) => ({ data: draft.id, bytes: 10_000 }) });
    large.attach(1, 0, 20);
    expect(large.send("a")).toEqual(["wake"]);
    expect(large.send("b")).toEqual(["send at once"]);
  });

  test("a large message travels alone, and a batch ends at 16 KiB", () => {
    const sizes: Record<string, number> = { big: 5_000, half: 4_000, small: 100 };
    const story = new Story({ pack: (draft) => ({ data: draft.id, bytes: sizes[draft.id] ?? 0 }) });
    story.attach(1, 0, 100);
    story.send("small", "big", "small", "half", "half", "half", "half", "half");
    expect(story.flush()).toEqual([
      "send M a=0 l=8 [small] on 1",
      "send M a=0 l=8 [big] on 1",
      "send M a=0 l=8 [small half half half half] on 1",
      "send M a=0 l=8 [half] on 1",
    ]);
  });

  test("a connection whose own buffer is full is given nothing until it is empty", () => {
    const story = new Story();
    story.attach(1);
    story.tell({ type: "congested", pipe: 1, full: true });
    expect(story.send("a")).toEqual([]);
    expect(story.flush()).toEqual([]);
    expect(story.tell({ type: "congested", pipe: 1, full: false })).toEqual(["wake"]);
    expect(story.flush()).toEqual(["send M a=0 l=8 [1=a] on 1"]);
  });

  test("a full outbox says so, still takes answers, and ends the session when even those are too many", () => {
    const story = new Story({ outboxMessages: 2 });
    story.attach(1);
    story.send("a");
    expect(hasRoom(story.state)).toBe(true);
    story.send("b");
    expect(hasRoom(story.state)).toBe(false);
    for (let count = 0; count < outboxReserveMax; count += 1) story.send("r");
    expect(story.state.life).toBe("up");
    const last = story.send("r");
    expect(last.slice(0, 3)).toEqual([
      "send E code=4430 message=the peer reads too slowly retryAfterMs=1000 on 1",
      "close 1 4430 (the peer reads too slowly)",
      "up -> down",
    ]);
    expect(last[3]).toMatch(/^ended overflow 4430 unsettled \[a b r/);
  });
});

describe("receiving", () => {
  test("messages are delivered in order, and acknowledged within 20 ms or with the next message", () => {
    const story = new Story();
    story.attach(1);
    expect(story.batch(1, [1])).toEqual(["deliver 1=p1"]);
    expect(nextAlarm(story.state)).toBe(20);
    expect(story.wait(20)).toEqual(["send A a=1 l=9 on 1"]);
    expect(story.batch(1, [2])).toEqual(["deliver 2=p2"]);
    story.send("a");
    expect(story.flush()).toEqual(["send M a=2 l=10 [1=a] on 1"]);
    expect(nextAlarm(story.state)).toBe(5_000);
  });

  test("a quarter of the window is acknowledged at once, so that the peer does not run dry", () => {
    const story = new Story();
    story.attach(1);
    expect(story.batch(1, [1, 2])).toEqual(["deliver 1=p1", "deliver 2=p2", "wake"]);
    expect(story.flush()).toEqual(["send A a=2 l=10 on 1"]);
  });

  test("a repeated message is not delivered twice", () => {
    const story = new Story();
    story.attach(1);
    story.batch(1, [1, 2]);
    story.flush();
    expect(story.batch(1, [1, 2, 3])).toEqual(["deliver 3=p3"]);
    expect(story.state.duplicates).toBe(2);
  });

  test("a kind of message of a later version is counted and not delivered", () => {
    const story = new Story();
    story.attach(1);
    const later = { s: 1, id: "l", k: "x-later", f: "", to: "", ty: "" } as const;
    expect(story.hear(1, { t: "M", a: 0, l: 8, m: [later] })).toEqual([]);
    expect(story.batch(1, [2])).toEqual(["deliver 2=p2", "wake"]);
  });

  test.each([
    ["a gap", [1, 3], {}, "message 3 came after message 1"],
    ["more than its credit", [1, 2, 3, 4, 5, 6, 7, 8, 9], {}, "message 9 is beyond the credit of 8"],
    ["an acknowledgement of what was never sent", [1], { a: 1 }, "message 1 was acknowledged, but only 0 were sent"],
  ])("%s ends the session with 4400", (_, numbers, position, why) => {
    const story = new Story();
    story.attach(1);
    story.send("a");
    expect(story.batch(1, numbers, position).filter((line) => !line.startsWith("deliver"))).toEqual([
      `send E code=4400 message=${why} on 1`,
      `close 1 4400 (${why})`,
      "up -> down",
      "ended protocol 4400 unsettled [a]",
    ]);
    expect(story.batch(1, [1])).toEqual([]);
  });
});

describe("liveness", () => {
  test("a side says how busy it is when a connection is there and every 5 s, whatever else it says", () => {
    const story = new Story();
    story.load = 3;
    expect(story.attach(1)).toContain("send I a=0 l=8 lag=0 load=3 on 1");
    story.load = 4;
    expect(story.wait(4_999)).toEqual([]);
    expect(nextAlarm(story.state)).toBe(5_000);
    expect(story.wait(1)).toEqual(["send I a=0 l=8 lag=0 load=4 on 1"]);
    story.now += 4_000;
    story.send("a");
    expect(story.flush()).toHaveLength(1);
    expect(nextAlarm(story.state)).toBe(10_000);
    expect(story.wait(999)).toEqual([]);
    expect(story.wait(1)).toEqual(["send I a=0 l=8 lag=0 load=4 on 1"]);
  });

  test("what the peer says of itself is passed on each time", () => {
    const story = new Story();
    story.attach(1);
    expect(story.hear(1, { t: "I", a: 0, l: 8, lag: 0, load: 7 })).toEqual(["the peer has 7 in hand"]);
    expect(story.hear(1, { t: "I", a: 0, l: 8, lag: 0, load: 7 })).toEqual(["the peer has 7 in hand"]);
    expect(story.hear(2, { t: "I", a: 0, l: 8, lag: 0, load: 9 })).toEqual([]);
  });

  test("a silent peer is cut after three heartbeats, hard, and the session resumes", () => {
    const story = new Story();
    story.attach(1);
    expect(story.wait(14_999)).toEqual(["send I a=0 l=8 lag=0 load=0 on 1"]);
    expect(story.wait(1)).toEqual(["cut 1 4440 (no sign of life)", "up -> resuming", "dial within 0..250"]);
  });

  test("where the heartbeats of the two sides differ, the shorter is kept, and three of the longer are waited for", () => {
    const attach = { type: "attach", pipe: 1, peerRecv: 0, limit: 8, now: 0, load: 0 } as const;
    const often = new Story();
    often.tell({ ...attach, beatMs: 1_000 });
    expect(nextAlarm(often.state)).toBe(1_000);
    expect(often.wait(14_999)).toHaveLength(1);
    expect(often.wait(1)).toContain("up -> resuming");
    const seldom = new Story();
    seldom.tell({ ...attach, beatMs: 20_000 });
    expect(nextAlarm(seldom.state)).toBe(5_000);
    expect(seldom.wait(59_999)).toHaveLength(1);
    expect(seldom.wait(1)).toContain("up -> resuming");
  });

  test("a side that stood still for 10 s doubts itself and not the peer", () => {
    const story = new Story();
    story.attach(1);
    story.now = 14_000;
    expect(story.wait(10_000, 10_000)).toEqual(["send I a=0 l=8 lag=10000 load=0 on 1"]);
    expect(story.state.life).toBe("up");
    expect(story.wait(1_000)).toContain("up -> resuming");
  });

  test("a peer that was slow before is given more time", () => {
    const story = new Story();
    story.attach(1);
    story.now = 12_000;
    story.hear(1, { t: "I", a: 0, l: 8, lag: 0, load: 0 });
    expect(story.wait(26_999).join()).not.toContain("cut");
    expect(story.wait(1)).toContain("cut 1 4440 (no sign of life)");
  });

  test("bytes of a frame that is not complete count as life", () => {
    const story = new Story();
    story.attach(1);
    story.tell({ type: "heard", pipe: 1, now: 14_000 });
    story.tell({ type: "heard", pipe: 7, now: 29_000 });
    expect(story.wait(28_999).join()).not.toContain("cut");
    expect(story.wait(1)).toContain("cut 1 4440 (no sign of life)");
  });
});

describe("an orderly end", () => {
  test("a drain is said on every connection, and what is under way may end", () => {
    const story = new Story();
    story.attach(1);
    const frame = { t: "G", code: 4503, retryAfterMs: 100 } as const;
    expect(story.tell({ type: "drain", frame })).toEqual(["up -> draining", "send G code=4503 retryAfterMs=100 on 1"]);
    expect(story.batch(1, [1])).toEqual(["deliver 1=p1"]);
    story.lose(1);
    expect(story.attach(2)).toEqual([
      "resuming -> up",
      "up -> draining",
      "send G code=4503 retryAfterMs=100 on 2",
      "send I a=1 l=9 lag=0 load=0 on 2",
    ]);
  });

  test("the other side hears of it", () => {
    const story = new Story();
    story.attach(1);
    expect(story.hear(1, { t: "G", code: 4503 })).toEqual(["up -> draining", "the peer goes away 4503"]);
  });

  test("a close says goodbye", () => {
    const story = new Story();
    story.attach(1);
    expect(story.tell({ type: "close", reason: "closed", code: 1000 })).toEqual([
      "close 1 1000 (closed)",
      "up -> down",
      "ended closed 1000 unsettled []",
    ]);
  });
});

test("every state of the link can be left, except for its end", () => {
  for (const [name, state] of Object.entries(linkChart.config.states)) {
    if (linkChart.isFinal(name as "down")) continue;
    expect(Object.keys((state as { on: object }).on)).toContain("end");
  }
  expect(settingsOf().role).toBe("dialer");
});

test("a session that follows on one that ended again and again goes on slowing down", () => {
  const state = openSession(settingsOf(), 0, 3);
  const [, effects] = stepSession(state, { type: "missed", code: 1006, now: 0 });
  expect(effects).toEqual([{ type: "dial", fromMs: 0, toMs: 2_000 }]);
});
