import type { ActorRefLike, AnyActor, AnyActorRef, InspectionEvent } from "xstate";
import type { Clock, Timer } from "../ports/clock.ts";
import { drawChart, showEvent, showSnapshot, type Shown } from "./projection.ts";

/** Live actors shown at once. With more, an inspector takes minutes to draw and nobody finds anything. */
export const shownActorsMax = 500;
/** Messages to the inspector in one window of `windowMs`; beyond it events are left out and states follow later. */
export const shownMessagesMax = 1_000;
/** The window in which messages are counted, and how late a state may be shown when there are too many. */
export const windowMs = 1_000;

/** What the feed hands on: XState's own inspection events, reduced to data that may be shown. */
export type ShownEvent =
  | { readonly type: "@xstate.actor"; readonly rootId: string; readonly actorRef: ShownActor }
  | {
      readonly type: "@xstate.event";
      readonly rootId: string;
      readonly actorRef: { readonly sessionId: string };
      readonly sourceRef: { readonly sessionId: string } | undefined;
      readonly event: Shown;
    }
  | {
      readonly type: "@xstate.snapshot";
      readonly rootId: string;
      readonly actorRef: { readonly sessionId: string };
      readonly event: Shown;
      readonly snapshot: Shown;
    };

/** What the package that speaks the protocol reads of an actor. */
interface ShownActor {
  readonly id: string;
  readonly sessionId: string;
  readonly logic: { readonly config: Shown | undefined };
  readonly _parent: { readonly sessionId: string } | undefined;
  getSnapshot(): Shown;
}

/** Where a feed ends: the events it lets through, and in words, once for each reason, what it leaves out. */
export interface FeedOutput {
  show(event: ShownEvent): void;
  notify(subject: "actors" | "events" | "broken", text: string): void;
}

interface Tracked {
  readonly ref: AnyActorRef;
  readonly rootId: string;
  readonly path: string;
  /** The inspector knows it. */
  told: boolean;
  /** Its state has changed since it was last shown. */
  stale: boolean;
  /** The snapshot last shown. */
  shown: unknown;
  /** Nothing more will come of it, whatever its snapshot says. */
  ended: boolean;
}

const caughtUp = Object.freeze({ type: "troupe.caughtUp" });

/**
 * Lets XState's inspection events through as far as people can follow them: the first actors up to a cap, so many
 * messages a second, and of an actor whose events were left out at least its last state.
 */
export class Feed {
  readonly #clock: Clock;
  readonly #output: FeedOutput;
  readonly #tracked = new Map<string, Tracked>();
  /** Charts as drawn, by config: all agents of one kind share theirs. */
  readonly #charts = new WeakMap<object, { readonly drawn: Shown | undefined }>();
  readonly #notified = new Set<string>();
  #windowEnds = 0;
  #left = 0;
  #tick: Timer | undefined;
  #actorsLeftOut = 0;
  #eventsLeftOut = 0;
  #crowded = false;
  #ended = false;

  constructor(clock: Clock, output: FeedOutput) {
    this.#clock = clock;
    this.#output = output;
  }

  leftOut(): { readonly actors: number; readonly events: number } {
    return { actors: this.#actorsLeftOut, events: this.#eventsLeftOut };
  }

  /** Takes one event from XState. Never throws: it runs in the middle of the actors' own work. */
  readonly take = (event: InspectionEvent): void => {
    if (this.#ended) return;
    try {
      if (event.type === "@xstate.event") this.#takeEvent(event);
      else if (event.type === "@xstate.snapshot") this.#takeSnapshot(event);
    } catch (problem) {
      this.#eventsLeftOut += 1;
      this.#notifyOnce("broken", `an event cannot be shown in the inspector and is left out (${causeOf(problem)})`);
    }
  };

  /** Shows the last states that still wait, and takes nothing more. */
  end(): void {
    this.#tick?.cancel();
    this.#left = shownMessagesMax * 2;
    this.#windowEnds = Infinity;
    this.#catchUp();
    this.#tick?.cancel();
    this.#ended = true;
  }

  #takeEvent(event: InspectionEvent & { type: "@xstate.event" }): void {
    const starts = event.event.type === "xstate.init";
    const tracked = this.#find(event, starts);
    if (tracked !== undefined) {
      if (this.#tell(tracked) && this.#spend()) {
        const { sourceRef, actorRef, rootId } = event;
        const source = sourceRef === undefined ? undefined : { sessionId: sourceRef.sessionId };
        const target = { sessionId: actorRef.sessionId };
        this.#output.show({
          type: "@xstate.event",
          rootId,
          actorRef: target,
          sourceRef: source,
          event: showEvent(event.event),
        });
      } else this.#leaveOutEvent();
    } else if (starts) this.#leaveOutActor();
    // XState inspects no snapshot of an actor that threw: its parent's event is the only sign.
    if (event.event.type.startsWith("xstate.error.actor.")) this.#takeEnd(event.sourceRef, event.event);
  }

  #takeSnapshot(event: InspectionEvent & { type: "@xstate.snapshot" }): void {
    const tracked = this.#tracked.get(event.actorRef.sessionId);
    if (tracked === undefined) return;
    this.#showState(tracked, event.snapshot, event.event);
    // Logic without a final status, such as a reducer, ends with XState's own stop event.
    if (isOver(event.snapshot) || event.event.type === "xstate.stop") this.#release(tracked);
  }

  #takeEnd(source: ActorRefLike | undefined, event: { readonly type: string }): void {
    const tracked = source === undefined ? undefined : this.#tracked.get(source.sessionId);
    if (tracked === undefined) return;
    this.#showState(tracked, tracked.ref.getSnapshot(), event);
    this.#release(tracked);
  }

  #showState(tracked: Tracked, snapshot: unknown, event: object): void {
    if (snapshot === tracked.shown) return;
    tracked.stale = true;
    if (!this.#tell(tracked) || !this.#spend()) return this.#leaveOutEvent();
    this.#sendState(tracked, snapshot, event);
  }

  #sendState(tracked: Tracked, snapshot: unknown, event: object): void {
    tracked.stale = false;
    tracked.shown = snapshot;
    const actorRef = { sessionId: tracked.ref.sessionId };
    const shown = { event: showEvent(event), snapshot: showSnapshot(snapshot) };
    this.#output.show({ type: "@xstate.snapshot", rootId: tracked.rootId, actorRef, ...shown });
  }

  /** The place of an actor, or a new one where there is room: for one that starts, or that was left out before. */
  #find(event: InspectionEvent, starts: boolean): Tracked | undefined {
    const ref = event.actorRef as AnyActorRef;
    const known = this.#tracked.get(ref.sessionId);
    if (known !== undefined) return known;
    if (this.#tracked.size >= shownActorsMax) {
      this.#crowded = true;
      return undefined;
    }
    if (!starts && isOver(ref.getSnapshot())) return undefined;
    const above = ref._parent === undefined ? undefined : this.#tracked.get(ref._parent.sessionId);
    if (ref._parent !== undefined && above === undefined) return undefined;
    // The path is that of `troupe.actors()`; the supervisor of all has the empty one.
    const path = above === undefined ? "" : `${above.path}/${ref.id}`;
    const tracked = { ref, rootId: event.rootId, path, told: false, stale: false, shown: undefined, ended: false };
    this.#tracked.set(ref.sessionId, tracked);
    return tracked;
  }

  /** Introduces an actor to the inspector; false where this must wait for the next window. */
  #tell(tracked: Tracked): boolean {
    if (tracked.told) return true;
    if (!this.#spend()) {
      tracked.stale = true;
      return false;
    }
    tracked.told = true;
    const { ref, rootId, path } = tracked;
    const snapshot = showSnapshot(ref.getSnapshot());
    this.#output.show({
      type: "@xstate.actor",
      rootId,
      actorRef: {
        id: path === "" ? ref.id : path,
        sessionId: ref.sessionId,
        logic: { config: this.#drawn(ref) },
        _parent: ref._parent === undefined ? undefined : { sessionId: ref._parent.sessionId },
        getSnapshot: () => snapshot,
      },
    });
    return true;
  }

  #drawn(ref: AnyActorRef): Shown | undefined {
    const { config } = (ref as AnyActor).logic as { readonly config?: unknown };
    if (typeof config !== "object" || config === null) return undefined;
    const known = this.#charts.get(config) ?? { drawn: this.#draw(config) };
    this.#charts.set(config, known);
    return known.drawn;
  }

  #draw(config: object): Shown | undefined {
    try {
      return drawChart(config);
    } catch (problem) {
      this.#notifyOnce("broken", `a chart cannot be drawn in the inspector (${causeOf(problem)})`);
      return undefined;
    }
  }

  /** Gives the place of an ended actor free, once its end has been shown. */
  #release(tracked: Tracked): void {
    tracked.ended = true;
    if (tracked.stale && tracked.told) return;
    if (!tracked.told) this.#leaveOutActor();
    this.#tracked.delete(tracked.ref.sessionId);
  }

  #spend(): boolean {
    const now = this.#clock.now();
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + windowMs;
      this.#left = shownMessagesMax;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  #leaveOutActor(): void {
    this.#actorsLeftOut += 1;
    if (!this.#crowded) return;
    this.#armTick();
    this.#notifyOnce(
      "actors",
      `the inspector shows at most ${shownActorsMax} actors at once; the others run unseen until one of these ends`,
    );
  }

  #leaveOutEvent(): void {
    this.#eventsLeftOut += 1;
    this.#armTick();
    this.#notifyOnce(
      "events",
      `more than ${shownMessagesMax} events in ${windowMs} ms; the inspector leaves events out, and shows each actor's state once per ${windowMs} ms`,
    );
  }

  #notifyOnce(subject: "actors" | "events" | "broken", text: string): void {
    if (this.#notified.has(subject)) return;
    this.#notified.add(subject);
    this.#output.notify(subject, text);
  }

  #armTick(): void {
    this.#tick ??= this.#clock.after(Math.max(0, this.#windowEnds - this.#clock.now()), () => {
      this.#tick = undefined;
      this.#catchUp();
    });
  }

  /** Shows the state of every actor whose events were left out, and frees the places of those that have ended. */
  #catchUp(): void {
    this.#crowded = false;
    for (const tracked of this.#tracked.values()) {
      const snapshot: unknown = tracked.ref.getSnapshot();
      if (tracked.stale) {
        if (!this.#tell(tracked) || !this.#spend()) return this.#armTick();
        this.#sendState(tracked, snapshot, caughtUp);
      }
      if (tracked.ended || isOver(snapshot)) this.#release(tracked);
    }
  }
}

function causeOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : "it threw something that is no Error";
}

function isOver(snapshot: unknown): boolean {
  const status = (snapshot as { readonly status?: unknown } | undefined)?.status;
  return status !== undefined && status !== "active";
}
