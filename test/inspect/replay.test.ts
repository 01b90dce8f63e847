import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Replay,
  replayBytesMax,
  replayMessagesMax,
  standingMessagesMax,
  type Message,
} from "../../src/inspect/replay.ts";

function chart(sessionId: string): Message {
  return { type: "@xstate.actor", sessionId, ended: false, text: `chart of ${sessionId}` };
}

function state(sessionId: string, value: string, ended = false): Message {
  return { type: "@xstate.snapshot", sessionId, ended, text: `${sessionId} is ${value}` };
}

function noise(text = "noise"): Message {
  return { type: "@xstate.event", sessionId: "any", ended: false, text };
}

function push(replay: Replay, ...messages: readonly Message[]): void {
  for (const message of messages) replay.push(message);
}

function fill(replay: Replay, count = replayMessagesMax): void {
  for (let index = 0; index < count; index += 1) replay.push(noise());
}

/** Everything a reader at a place gets, in batches. */
function readAll(replay: Replay, after: number, batch = 100): string[] {
  const texts: string[] = [];
  let at = after;
  for (let got = replay.read(at, batch); got.length > 0; got = replay.read(at, batch)) {
    for (const message of got) {
      expect(message.at).toBeGreaterThan(at);
      at = message.at;
      texts.push(message.text);
    }
  }
  return texts;
}

describe("a replay", () => {
  test("gives the newest messages in full and in order", () => {
    const replay = new Replay();
    push(replay, chart("a"), state("a", "on"), noise());
    expect(readAll(replay, 0)).toEqual(["chart of a", "a is on", "noise"]);
    expect(readAll(replay, 2)).toEqual(["noise"]);
    expect(readAll(replay, replay.last)).toEqual([]);
  });

  test("keeps of what is older the chart and the last state of each live actor", () => {
    const replay = new Replay();
    push(replay, chart("a"), chart("b"), noise("old"), state("a", "on"), state("b", "on"), state("a", "off"));
    push(replay, chart("gone"), state("gone", "on"), state("gone", "stopped", true));
    fill(replay);
    const texts = readAll(replay, 0);
    expect(texts.slice(0, 4)).toEqual(["chart of a", "chart of b", "b is on", "a is off"]);
    expect(texts).toHaveLength(4 + replayMessagesMax);
  });

  test("takes a reader that is behind over what was forgotten, without telling it anything twice", () => {
    const replay = new Replay();
    push(replay, chart("a"), state("a", "on"));
    const at = replay.last;
    push(replay, state("a", "off"), chart("b"));
    fill(replay);
    expect(readAll(replay, at).slice(0, 2)).toEqual(["a is off", "chart of b"]);
  });

  test("is bounded in messages and in bytes, also where actors never end", () => {
    const replay = new Replay();
    for (let index = 0; index < standingMessagesMax + 500; index += 1) replay.push(chart(`actor ${index}`));
    fill(replay);
    expect(readAll(replay, 0)).toHaveLength(standingMessagesMax + replayMessagesMax);
    const heavy = new Replay();
    for (let index = 0; index < 20; index += 1) heavy.push(noise("x".repeat(replayBytesMax / 10)));
    expect(readAll(heavy, 0)).toHaveLength(10);
    const large = new Replay();
    for (let index = 0; index < 40; index += 1)
      large.push({ ...chart(`actor ${index}`), text: "x".repeat(replayBytesMax / 8) });
    // 8 among the newest, and 16 charts of a MiB that stand.
    expect(readAll(large, 0)).toHaveLength(24);
  });

  test("tells every reader, whatever its pace, the last state of every live actor", () => {
    const step = fc.record({ actor: fc.nat(5), value: fc.nat(), ended: fc.boolean(), pad: fc.nat(900) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(20), (steps, start) => {
        const replay = new Replay();
        const truth = new Map<string, string>();
        const seen = new Map<string, string>();
        let at = 0;
        for (const [index, { actor, value, ended, pad }] of steps.entries()) {
          const name = `actor ${actor}`;
          if (!truth.has(name)) push(replay, chart(name));
          push(replay, state(name, String(value), ended));
          if (ended) truth.delete(name);
          else truth.set(name, `${name} is ${value}`);
          fill(replay, pad);
          if (index === start) at = note(replay, at, seen);
        }
        note(replay, at, seen);
        for (const [name, last] of truth) expect(seen.get(name)).toBe(last);
      }),
      { numRuns: 50 },
    );
  });
});

/** Reads on from a place, remembers the last state told of each actor, and returns the new place. */
function note(replay: Replay, after: number, seen: Map<string, string>): number {
  for (const text of readAll(replay, after)) {
    const name = / is /.test(text) ? text.split(" is ")[0] : undefined;
    if (name !== undefined) seen.set(name, text);
  }
  return replay.last;
}
