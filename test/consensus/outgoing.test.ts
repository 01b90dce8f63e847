import { describe, expect, it } from "vitest";
import {
  answerCharactersMax,
  listenMs,
  messagesPerAnswerMax,
  Outgoing,
  waitingMessagesMax,
  type Letter,
} from "../../src/consensus/elsewhere/outgoing.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

const { signal } = new AbortController();

function open(): { clock: FakeClock; outgoing: Outgoing; readonly next: () => Promise<readonly Letter[]> } {
  const clock = new FakeClock();
  const outgoing = new Outgoing(clock);
  return { clock, outgoing, next: () => outgoing.next(signal) };
}

describe("what a replica elsewhere has to say", () => {
  it("carries a message to several members once, and keeps the order", async () => {
    const { outgoing, next } = open();
    const [first, second] = [{ n: 1 }, { n: 2 }];
    for (const to of [1, 2, 3]) outgoing.put(to, first);
    outgoing.put(2, second);
    for (const to of [1, 1]) outgoing.put(to, first);
    expect(await next()).toEqual([
      { to: [1, 2, 3], message: first },
      { to: [2], message: second },
      { to: [1], message: first },
      { to: [1], message: first },
    ]);
  });

  it("answers whoever waits as soon as there is something, with everything that was said at once", async () => {
    const { outgoing, next } = open();
    const waiting = next();
    const message = { n: 1 };
    for (const to of [1, 2]) outgoing.put(to, message);
    expect(await waiting).toEqual([{ to: [1, 2], message }]);
    for (const to of [undefined, 3, undefined]) outgoing.put(to, message);
    outgoing.put(undefined, { n: 2 });
    expect(await next()).toEqual([
      { to: [3], message },
      { to: [], message: { n: 2 } },
    ]);
  });

  it("answers with nothing after a while, when another one asks, when the caller gives up, and at the end", async () => {
    const { clock, outgoing, next } = open();
    const late = next();
    await clock.advance(listenMs);
    expect(await late).toEqual([]);
    const earlier = next();
    const later = next();
    expect(await earlier).toEqual([]);
    outgoing.put(1, { n: 1 });
    expect(await later).toHaveLength(1);
    const caller = new AbortController();
    const abandoned = outgoing.next(caller.signal);
    caller.abort();
    expect(await abandoned).toEqual([]);
    outgoing.put(1, { n: 2 });
    expect(await outgoing.next(caller.signal)).toEqual([]);
    expect(await next()).toHaveLength(1);
    const last = next();
    outgoing.close();
    expect(await last).toEqual([]);
  });

  it("drops the oldest beyond its limit, and splits what is too much for one answer", async () => {
    const { outgoing, next } = open();
    for (let n = 0; n <= waitingMessagesMax; n += 1) outgoing.put(1, { n });
    const letters: Letter[] = [];
    for (let turn = 0; turn < waitingMessagesMax / messagesPerAnswerMax; turn += 1) letters.push(...(await next()));
    expect(letters.map(({ message }) => message)).toEqual(
      Array.from({ length: waitingMessagesMax }, (_, n) => ({ n: n + 1 })),
    );
    const text = "x".repeat(answerCharactersMax);
    for (const n of [1, 2]) outgoing.put(1, { n, text });
    expect([(await next()).length, (await next()).length]).toEqual([1, 1]);
  });
});
