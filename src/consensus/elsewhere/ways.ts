import type { Place, Said } from "./distant.ts";

/** Times that one member is asked whether it can be told straight, per decision; then it is told through whoever asks. */
export const waysAskedMax = 5;

/** A way from this process straight to a member's replica. */
export interface Way {
  /** Hands it a message; true when it takes part in the decision already. */
  ask(said: Said): Promise<boolean>;
  /** Hands it a message; false where there is no link at present. */
  say(said: Said): boolean;
}

/** What straight ways are made of. */
export interface WayPorts {
  /** Undefined where this process knows no way. */
  wayTo(place: Place): Way | undefined;
}

/**
 * The straight ways of one member to the others in one decision. A way is taken once the other side has said over it
 * that it takes part: until then, and where the link is down, messages go through whoever asks.
 */
export class StraightWays {
  readonly #ways: ReadonlyMap<number, Way>;
  readonly #open = new Set<number>();
  readonly #asking = new Set<number>();
  readonly #asked = new Map<number, number>();

  constructor(reach: readonly (Place | null)[], ports: Partial<WayPorts>) {
    const ways = reach.map((place) => (place === null ? undefined : ports.wayTo?.(place)));
    this.#ways = new Map(ways.flatMap((way, to) => (way === undefined ? [] : [[to, way] as const])));
  }

  /** Hands a message to a member; false where it has to go another way. */
  say(to: number, said: Said): boolean {
    const way = this.#ways.get(to);
    if (way === undefined) return false;
    if (this.#open.has(to)) return way.say(said);
    void this.#ask(to, way, said);
    return false;
  }

  async #ask(to: number, way: Way, said: Said): Promise<void> {
    const asked = this.#asked.get(to) ?? 0;
    if (asked >= waysAskedMax || this.#asking.has(to)) return;
    this.#asked.set(to, asked + 1);
    this.#asking.add(to);
    try {
      if (await way.ask(said)) this.#open.add(to);
    } catch {
      // No way, then.
    } finally {
      this.#asking.delete(to);
    }
  }
}
