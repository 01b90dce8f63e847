import {
  createActor,
  createMachine,
  fromPromise,
  fromTransition,
  sendParent,
  setup,
  stopChild,
  type ActorRefFrom,
  type AnyActorLogic,
} from "xstate";
import { describe, expect, test } from "vitest";
import { Feed, shownActorsMax, shownMessagesMax, windowMs, type ShownEvent } from "../../src/inspect/feed.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

class Screen {
  readonly clock = new FakeClock();
  readonly events: ShownEvent[] = [];
  readonly notices: string[] = [];
  readonly feed = new Feed(this.clock, {
    show: (event) => this.events.push(event),
    notify: (_subject, text) => this.notices.push(text),
  });

  /** Starts a root actor in front of the feed. */
  run<Logic extends AnyActorLogic>(logic: Logic, input?: unknown) {
    return createActor(logic, { id: "root", inspect: this.feed.take, input } as never).start();
  }

  actors() {
    return this.events.flatMap((event) => (event.type === "@xstate.actor" ? [event.actorRef] : []));
  }

  names(): string[] {
    return this.actors().map((actor) => actor.id);
  }

  #snapshots(sessionId: string) {
    return this.events.flatMap((event) =>
      event.type === "@xstate.snapshot" && event.actorRef.sessionId === sessionId ? [event.snapshot] : [],
    );
  }

  /** The active states shown of an actor, in order. */
  states(sessionId: string): unknown[] {
    return this.#snapshots(sessionId).map((snapshot) => snapshot["value"]);
  }

  statuses(sessionId: string): unknown[] {
    return this.#snapshots(sessionId).map((snapshot) => snapshot["status"]);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

const toggle = createMachine({
  initial: "off",
  states: { off: { on: { flip: "on" } }, on: { on: { flip: "off" } } },
});

type Toggle = ActorRefFrom<typeof toggle>;

/** A parent of as many children as its input says, which it stops on request. */
const family = setup({
  types: {
    input: {} as number,
    context: {} as { readonly children: readonly Toggle[] },
    events: {} as { readonly type: "drop"; readonly child: Toggle },
  },
  actors: { toggle },
}).createMachine({
  context: ({ spawn, input }) => ({
    children: Array.from({ length: input }, (_, index) => spawn("toggle", { id: `child-${index}` })),
  }),
  on: { drop: { actions: stopChild(({ event }) => event.child) } },
});

describe("the feed", () => {
  test("introduces an actor with its first state before anything else of it", () => {
    const screen = new Screen();
    const actor = screen.run(toggle);
    actor.send({ type: "flip" });
    expect(screen.events.map((event) => event.type)).toEqual([
      "@xstate.actor",
      "@xstate.event",
      "@xstate.snapshot",
      "@xstate.event",
      "@xstate.snapshot",
    ]);
    const [first] = screen.events;
    expect(first?.type === "@xstate.actor" && first.actorRef.getSnapshot()).toMatchObject({ value: "off" });
    expect(screen.states(actor.sessionId)).toEqual(["off", "on"]);
  });

  test("shows an actor that is done, broke or was stopped as such", async () => {
    const screen = new Screen();
    const breaking = createMachine({ on: { break: { actions: () => fail("token=abcDEF123456") } } });
    const parent = createMachine({
      context: ({ spawn }) => ({
        broken: spawn(breaking),
        stopped: spawn(toggle),
        done: spawn(fromPromise(async () => "output")),
      }),
      on: { stop: { actions: stopChild(({ context }) => context.stopped) } },
    });
    const actor = screen.run(parent);
    actor.subscribe({ error: () => undefined });
    const { broken, done, stopped } = actor.getSnapshot().context;
    await screen.clock.settle();
    actor.send({ type: "stop" });
    broken.send({ type: "break" });
    expect(screen.statuses(done.sessionId)).toEqual(["active", "done"]);
    expect(screen.statuses(stopped.sessionId)).toEqual(["active", "stopped"]);
    expect(screen.statuses(broken.sessionId)).toEqual(["active", "error"]);
    expect(JSON.stringify(screen.events)).toContain("token=[redacted]");
    expect(JSON.stringify(screen.events)).not.toContain("abcDEF123456");
  });

  test("shows at most so many actors, says so once, and gives free places to those that still run", async () => {
    const screen = new Screen();
    const crowd = screen.run(family, shownActorsMax + 20);
    await screen.clock.advance(windowMs * 4);
    expect(screen.names()).toHaveLength(shownActorsMax);
    expect(screen.names().slice(0, 2)).toEqual(["root", "/child-0"]);
    expect(screen.feed.leftOut().actors).toBe(21);
    expect(screen.notices.filter((notice) => notice.includes("actors at once"))).toEqual([
      `the inspector shows at most ${shownActorsMax} actors at once; the others run unseen until one of these ends`,
    ]);
    const { children } = crowd.getSnapshot().context;
    const [first, last] = [children[0] as Toggle, children.at(-1) as Toggle];
    last.send({ type: "flip" });
    expect(screen.names()).toHaveLength(shownActorsMax);
    crowd.send({ type: "drop", child: first });
    last.send({ type: "flip" });
    expect(screen.names()).toHaveLength(shownActorsMax + 1);
    expect(screen.states(last.sessionId)).toEqual(["off"]);
  });

  test("shows no actor whose parent is not shown", async () => {
    const screen = new Screen();
    const couple = createMachine({ invoke: { src: toggle, id: "inner" } });
    const house = createMachine({
      context: ({ spawn }) => ({ all: Array.from({ length: shownActorsMax }, () => spawn(couple)) }),
    });
    screen.run(house);
    await screen.clock.advance(windowMs * 4);
    const known = new Set(screen.actors().map((actor) => actor.sessionId));
    expect(known.size).toBe(shownActorsMax);
    for (const { _parent } of screen.actors().slice(1)) expect(known).toContain(_parent?.sessionId);
  });

  test("lets so many messages through in a window, says so once, and catches up with the states", async () => {
    const screen = new Screen();
    const actor = screen.run(toggle);
    for (let flip = 0; flip < 4_001; flip += 1) actor.send({ type: "flip" });
    expect(screen.events).toHaveLength(shownMessagesMax);
    expect(screen.notices).toEqual([expect.stringContaining(`more than ${shownMessagesMax} events`)]);
    expect(screen.states(actor.sessionId).at(-1)).not.toBe(undefined);
    await screen.clock.advance(windowMs);
    expect(screen.states(actor.sessionId).at(-1)).toBe("on");
    expect(screen.events).toHaveLength(shownMessagesMax + 1);
    actor.send({ type: "flip" });
    expect(screen.states(actor.sessionId).at(-1)).toBe("off");
    expect(screen.notices).toHaveLength(1);
    expect(screen.clock.waiting).toBe(0);
  });

  test("shows the end of an actor that ended while too much happened, and forgets it", async () => {
    const screen = new Screen();
    const short = createMachine({ initial: "up", states: { up: { on: { end: "down" } }, down: { type: "final" } } });
    const parent = createMachine({ context: ({ spawn }) => ({ noisy: spawn(toggle), short: spawn(short) }) });
    const actor = screen.run(parent);
    const { noisy, short: ending } = actor.getSnapshot().context;
    for (let flip = 0; flip < shownMessagesMax; flip += 1) noisy.send({ type: "flip" });
    ending.send({ type: "end" });
    expect(screen.states(ending.sessionId)).toEqual(["up"]);
    await screen.clock.advance(windowMs);
    expect(screen.states(ending.sessionId)).toEqual(["up", "down"]);
  });

  test("never throws into the actor, and says once that something cannot be shown", () => {
    const screen = new Screen();
    const reducer = fromTransition((count: number) => count + 1, 0);
    const config = Object.defineProperty({}, "states", { get: () => fail("hostile") });
    const actor = screen.run({ ...reducer, config });
    actor.send({ type: "any" });
    expect(screen.names()).toEqual(["root"]);
    expect(screen.notices).toEqual(["a chart cannot be drawn in the inspector (hostile)"]);
    const unreadable = Object.defineProperty({ status: "active" }, "value", { get: () => fail("hostile") });
    const hidden = screen.run({ ...reducer, getInitialSnapshot: () => unreadable as never });
    expect(() => hidden.send({ type: "any" })).not.toThrow();
    expect(screen.names()).toEqual(["root"]);
    expect(screen.feed.leftOut().events).toBeGreaterThan(0);
    expect(screen.notices).toHaveLength(1);
  });

  test("takes nothing after its end, and holds no timer", () => {
    const screen = new Screen();
    const actor = screen.run(toggle);
    for (let flip = 0; flip < 2_001; flip += 1) actor.send({ type: "flip" });
    screen.feed.end();
    expect(screen.states(actor.sessionId).at(-1)).toBe("on");
    const shown = screen.events.length;
    actor.send({ type: "flip" });
    expect(screen.events).toHaveLength(shown);
    expect(screen.clock.waiting).toBe(0);
  });

  test("says who sent an event", () => {
    const screen = new Screen();
    const child = createMachine({ entry: sendParent({ type: "hello" }) });
    const actor = screen.run(createMachine({ invoke: { src: child, id: "child" } }));
    const sender = screen.actors().find(({ id }) => id === "/child");
    expect(screen.events).toContainEqual({
      type: "@xstate.event",
      rootId: actor.sessionId,
      actorRef: { sessionId: actor.sessionId },
      sourceRef: { sessionId: sender?.sessionId },
      event: { type: "hello" },
    });
  });
});
