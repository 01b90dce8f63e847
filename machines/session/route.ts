import { redirectsMax } from "./limits.ts";

/** Where a dialer dials: the address that it was given, or one of those that a peer may send it on to. */
export interface Route {
  readonly home: string;
  /** Whoever gave the home gave these too: credentials go to none that a peer came up with. */
  readonly others: readonly string[];
  readonly at: string;
  /** How often it was sent on since the last session that held. */
  readonly hops: number;
}

export function openRoute(home: string, others: readonly string[]): Route {
  return { home, others, at: home, hops: 0 };
}

/**
 * The route after a session has ended in which the peer said where to go, if it did. An address that nobody gave, and
 * one too many in a row, change nothing. `held`: the session was a healthy one.
 */
export function sendOn(route: Route, target: string | undefined, held: boolean): Route {
  const hops = held ? 0 : route.hops;
  const known = target !== route.at && [route.home, ...route.others].some((address) => address === target);
  if (target === undefined || !known || hops >= redirectsMax) return { ...route, hops };
  return { ...route, at: target, hops: hops + 1 };
}

/** The route after a dial that came to nothing: whoever was sent on and is not let in goes back. */
export function turnBack(route: Route): Route {
  return { ...route, at: route.home };
}
