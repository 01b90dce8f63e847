import type { Codec } from "../../machines/wire/codec.ts";
import type { Pipe } from "../../src/ports/transport.ts";
import type { Authentication } from "../../src/remote/authentication.ts";
import type { Dialer } from "../../src/remote/dialer.ts";
import type { RemoteNode } from "../../src/remote/node.ts";
import type { Pace } from "../../src/remote/peer-session.ts";
import type { DeadRemoteLetter } from "../../src/remote/requests.ts";
import type { stepSession } from "../../machines/session/step.ts";
import type { Deed, TestHost } from "./transport-host.ts";

export interface TestNode {
  readonly remote: RemoteNode;
  readonly host: TestHost;
  readonly url: string;
  readonly dead: DeadRemoteLetter[];
  readonly left: string[];
  /** Ends it as a process ends: without a word. */
  crash(): Promise<void>;
}

export interface NodeSetup {
  readonly auth?: Authentication;
  readonly grants?: readonly string[];
  readonly pace?: Pace;
}

/** Where the contract is tried: nodes, what lies between them, and time. */
export interface World extends AsyncDisposable {
  /** What its nodes prefer, and what strangers speak. */
  readonly codec: Codec;
  readonly history: Deed[];
  node(name: string, setup?: NodeSetup): Promise<TestNode>;
  dial(from: TestNode, to: TestNode, auth?: Authentication): Dialer;
  /** A bare connection, to say what no honest node would say. */
  pipe(to: TestNode): Promise<Pipe>;
  /** Every connection breaks, and both ends hear of it. */
  cut(): void;
  /** Every connection breaks after so many more units of traffic: frames, or some bytes each. */
  cutAfter(units: number): void;
  /** The dialing end of each connection breaks; the other end hears nothing. */
  cutDialers(): void;
  /** Nothing arrives any more on the present connections, and nobody hears of it. */
  swallow(): void;
  /** The listening ends read nothing until told otherwise. */
  stall(stalled: boolean): void;
  /** Nobody can dial for now. */
  close(closed: boolean): void;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until it is so; throws after `limitMs`. */
  until(what: string, isSo: () => boolean, limitMs?: number): Promise<void>;
}

export interface WorldOptions {
  readonly seed: number;
  /** JSON, unless it is another. */
  readonly codec?: Codec;
  readonly step?: typeof stepSession;
}

/** Times short enough for a test on real sockets, in the proportions of the real ones. */
export const testPace = {
  heartbeatMs: 100,
  ttlMs: 1_500,
  suspectAfterMs: 200,
  handshakeTimeoutMs: 300,
  redialFirstMs: 10,
  redialMaxMs: 40,
} as const;
export const everything = ["tell:*", "watch:*", "spawn:worker@1"] as const;
