import type { Outcome } from "../../../machines/failure.ts";
import type { CallOptions, TellOptions, TellResult } from "../../agent/context.ts";
import type { ItemSink } from "../../agent/items.ts";
import type { Address, RemoteDown } from "../../remote/hosting.ts";
import type { AgentRef } from "../../dispatch/ref.ts";
import { TroupeError } from "../../errors.ts";
import type { RemotePeer } from "./doors.ts";

/** Another node as a place for children of supervisors here. */
export interface Place {
  readonly node: string;
  /** There is a connection now. */
  readonly isUp: boolean;
  /** Resolves once there is; rejects where there will be none, or the signal aborts. */
  ready(signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is left there of sessions that have ended. */
  fenced(signal: AbortSignal): Promise<void>;
  spawn(name: string, signal: AbortSignal): Promise<Outcome<unknown>>;
  /** Resolves once, when this very incarnation has ended or its session has. */
  monitor(at: Address): Promise<RemoteDown>;
  stop(at: Address): void;
  call(
    at: Address,
    capability: string,
    given: { input: unknown; options: CallOptions; items?: ItemSink },
  ): Promise<Outcome<unknown>>;
  tell(at: Address, capability: string, given: { input: unknown; options: TellOptions }): TellResult;
}

/** The places behind the peers that a user holds. */
export const places = new WeakMap<RemotePeer, Place>();

/** Errors: throws `usage/invalid-options` for what `connect` has not given. */
export function placeOf(peer: RemotePeer): Place {
  const place = places.get(peer);
  if (place !== undefined) return place;
  throw new TroupeError("usage/invalid-options", "`on` lists peers as troupe.connect gives them, and this is none");
}

/** The way to the node of a ref, over any number of sessions with it. */
export interface Route {
  /** The start of that node that was reached last. */
  readonly inc: () => string | undefined;
  /** It has closed its sessions in good order, and has not been reached since. */
  readonly hasLeft: () => boolean;
  /** Resolves once there is a connection; rejects where there will be none, or the signal aborts. */
  ready(signal: AbortSignal): Promise<void>;
}

/** The routes of the refs that `RemotePeer` gives. */
export const routes = new WeakMap<AgentRef, Route>();
