import fc from "fast-check";
import { defineAgent, type StreamEvent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Observe, type Happening } from "../../src/ports/observe.ts";
import { passes } from "../../src/stream/filter.ts";
import { Stream, type Subscription } from "../../src/stream/stream.ts";
import { openDesk } from "../dispatch/desk.ts";
import { openHouse } from "../system/house.ts";

function happening(type: string, rest: Partial<Happening> = {}): Happening {
  return { type, at: 0, data: {}, ...rest };
}

/** Reads so many events. */
async function take(subscription: Subscription, count: number): Promise<StreamEvent[]> {
  const read: StreamEvent[] = [];
  while (read.length < count) {
    const { value } = await subscription.next();
    if (value === undefined) return read;
    read.push(value);
  }
  return read;
}

class CountingObserve extends Observe {
  published = 0;
  override publish(given: Happening): void {
    this.published += 1;
    super.publish(given);
  }
}

function open(size?: number): { observe: Observe; stream: Stream; say: (...types: string[]) => void } {
  const observe = new Observe();
  const stream = new Stream(observe, size);
  const say = (...types: string[]): void => {
    for (const type of types) if (observe.heard) observe.publish(happening(type));
  };
  return { observe, stream, say };
}

describe("the stream", () => {
  test("gives every subscriber the same events in the same order, numbered without gaps", async () => {
    const { stream, say } = open();
    const first = stream.subscribe();
    say("a", "b");
    const second = stream.subscribe();
    say("c");
    expect((await take(first, 3)).map(({ seq, type }) => `${seq} ${type}`)).toEqual(["1 a", "2 b", "3 c"]);
    expect((await take(second, 1)).map(({ seq, type }) => `${seq} ${type}`)).toEqual(["3 c"]);
  });

  test("wakes a subscriber that waits, once for each event, also where it asked several times ahead", async () => {
    const { stream, say } = open();
    const subscription = stream.subscribe({ type: "b" });
    const ahead = [subscription.next(), subscription.next(), subscription.next()];
    say("a", "b", "a", "b", "a");
    expect((await Promise.all(ahead.slice(0, 2))).map((next) => next.value?.seq)).toEqual([2, 4]);
    await subscription.return();
    expect(await ahead[2]).toEqual({ done: true, value: undefined });
  });

  test("tells a subscriber that fell behind, by one gap, what it missed", async () => {
    const { stream, say } = open(4);
    const subscription = stream.subscribe();
    say("a", "b", "c", "d", "e", "f");
    const read = await take(subscription, 5);
    expect(read.map(({ seq, type }) => `${seq} ${type}`)).toEqual(["2 stream.gap", "3 c", "4 d", "5 e", "6 f"]);
    expect(read[0]?.data).toEqual({ from: 1, to: 2 });
    say("g");
    expect((await take(subscription, 1)).map(({ type }) => type)).toEqual(["g"]);
  });

  test("whatever is said and read, in any order: each subscriber reads or is told of every event, in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.oneof(fc.record({ say: fc.integer({ min: 1, max: 12 }) }), fc.constant({ read: true as const })), {
          maxLength: 20,
        }),
        async (size, steps) => {
          const { stream, say } = open(size);
          const subscription = stream.subscribe();
          let said = 0;
          let next = 1;
          const check = async (): Promise<void> => {
            for (let last = next - 1; last < said; last = next - 1) {
              const event = (await subscription.next()).value as StreamEvent;
              if (event.type === "stream.gap") {
                expect(event.data["from"]).toBe(next);
                next = (event.data["to"] as number) + 1;
                expect(said - next + 1).toBe(size);
              } else {
                expect(event.seq).toBe(next);
                next += 1;
              }
            }
          };
          for (const step of steps) {
            if ("read" in step) {
              await check();
              continue;
            }
            said += step.say;
            say(...Array.from({ length: step.say }, () => "x"));
          }
          await check();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("who listens", () => {
  test("nothing is published while nobody does: the lower floors are heard from the first subscriber to the last", async () => {
    const { observe, stream } = open();
    expect(observe.heard).toBe(false);
    const first = stream.subscribe();
    const second = stream.subscribe();
    expect(observe.heard).toBe(true);
    await first.return();
    expect(observe.heard).toBe(true);
    await second[Symbol.asyncDispose]();
    await second.return();
    expect(observe.heard).toBe(false);
    const third = stream.subscribe();
    expect(observe.heard).toBe(true);
    await third.return();
    expect(observe.heard).toBe(false);
  });

  test("leaving a loop ends the subscription, and iterating it again ends at once", async () => {
    const { observe, stream, say } = open();
    const subscription = stream.subscribe();
    say("a", "b");
    for await (const { type } of subscription) {
      expect(type).toBe("a");
      break;
    }
    expect(observe.heard).toBe(false);
    expect(await subscription.next()).toEqual({ done: true, value: undefined });
  });

  test("closing ends every subscription after what it has not read, and every later one at once", async () => {
    const { observe, stream, say } = open();
    const behind = stream.subscribe();
    const waiting = stream.subscribe().next();
    say("a");
    const ahead = stream.subscribe();
    stream.close();
    say("b");
    expect(observe.heard).toBe(false);
    expect((await waiting).value?.type).toBe("a");
    expect(await take(behind, 1)).toMatchObject([{ type: "a" }]);
    expect(await behind.next()).toEqual({ done: true, value: undefined });
    expect(await ahead.next()).toEqual({ done: true, value: undefined });
    expect(await stream.subscribe().next()).toEqual({ done: true, value: undefined });
  });

  test("a whole troupe at work unheard publishes nothing", async () => {
    const observe = new CountingObserve();
    const { nursery, dispatcher, clock, core, root } = await openHouse(observe);
    const busy = defineAgent({
      name: "busy",
      mailbox: { capacity: 1, overflow: "drop-newest" },
      heartbeat: { everyMs: 10 },
      capabilities: {
        work: {
          recovery: { retry: { attempts: 2 } },
          breaker: { failures: 1, openMs: 10, probes: 1 },
          input: z.number(),
          output: z.number(),
          run({ input, progress }) {
            progress(0.5);
            if (input === 0) throw new Error("boom");
            return input;
          },
        },
      },
    });
    const refs = await nursery.spawn(busy, { restart: "permanent", intensity: { restarts: 99 } });
    for (let turn = 0; turn < 9; turn += 1) {
      void dispatcher.send({ capability: "work", input: turn % 2, options: undefined });
      await clock.advance(1_000);
    }
    for (let turn = 0; turn < 3; turn += 1) refs[0]?.tell("work", 1);
    await refs[0]?.stop();
    expect(core.deadLetters.counts().overflow).toBe(2);
    expect(observe.published).toBe(0);
    const leave = observe.listen(() => undefined);
    await nursery.spawn(busy, {});
    expect(observe.published).toBe(1);
    leave();
    core.close();
    await root.halt("end");
    expect(observe.published).toBe(1);
  });
});

describe("filters", () => {
  const event: Happening = happening("call.failed", { agent: "/shop/1", runId: "r", decisionId: "d" });

  test.each([
    [{}, true],
    [{ type: "call.failed" }, true],
    [{ type: "call.*" }, true],
    [{ type: "call" }, false],
    [{ type: "call.f" }, false],
    [{ type: "agent.*" }, false],
    [{ type: ["agent.*", "call.failed"] }, true],
    [{ type: [] }, false],
    [{ agent: "/shop/1" }, true],
    [{ agent: "/shop/*" }, true],
    [{ agent: "/shop" }, false],
    [{ runId: "r" }, true],
    [{ runId: "x" }, false],
    [{ decisionId: "d" }, true],
    [{ decisionId: "x" }, false],
    [{ type: "call.*", agent: "/shop/*", runId: "r", decisionId: "x" }, false],
  ])("%j lets it pass: %s", (filter, expected) => {
    expect(passes(filter, event)).toBe(expected);
  });

  test("an event of no agent passes no filter by agent", () => {
    expect(passes({ agent: "*" }, happening("registry.changed"))).toBe(false);
  });

  test("a subscriber by run or by agent hears what concerns it, and nothing else", async () => {
    await using desk = await openDesk();
    const work = defineAgent({
      name: "worker",
      capabilities: { do: { input: z.null(), output: z.null(), run: () => null } },
    });
    const ofRun = desk.troupe.events({ runId: "r7" });
    const ofAgent = desk.troupe.events({ agent: "/worker/2", type: "agent.*" });
    const [first, second] = await desk.troupe.spawn(work, { count: 2 });
    await first?.call("do", null, { runId: "r7" });
    await second?.call("do", null, { runId: "r8" });
    expect((await take(ofRun, 2)).map(({ type, agent }) => [type, agent])).toEqual([
      ["call.started", undefined],
      ["call.completed", "/worker/1"],
    ]);
    await second?.stop();
    expect((await take(ofAgent, 2)).map(({ type }) => type)).toEqual(["agent.started", "agent.stopped"]);
  });
});
