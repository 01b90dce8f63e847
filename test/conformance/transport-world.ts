import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import type { Codec } from "../../machines/wire/codec.ts";
import type { Pipe, Transport } from "../../src/ports/transport.ts";
import type { Authentication } from "../../src/remote/authentication.ts";
import type { Dialer } from "../../src/remote/dialer.ts";
import { RemoteNode, type NodeOptions } from "../../src/remote/node.ts";
import type { Pace } from "../../src/remote/peer-session.ts";
import type { DeadRemoteLetter } from "../../src/remote/requests.ts";
import type { stepSession } from "../../machines/session/step.ts";
import { judgeHistory, type Deed } from "./transport-history.ts";
import { TestHost } from "./transport-host.ts";
import type { Witness } from "./transport-witness.ts";

export interface TestNode {
  readonly remote: RemoteNode;
  readonly host: TestHost;
  readonly url: string;
  readonly dead: DeadRemoteLetter[];
  readonly left: string[];
  /** Ends it as a process ends: without a word, and it reaches nobody any more. Every connection of the world breaks. */
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
  /** How often something is done over and over: less often where each time takes real time. */
  readonly cycles: number;
  /** What it holds now: connections, and timers where they can be counted. */
  held(): number;
  node(name: string, setup?: NodeSetup): Promise<TestNode>;
  /** The next start of a node that has crashed, at the same address. */
  restart(node: TestNode, setup?: NodeSetup): Promise<TestNode>;
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
  /** What is sent on the present connections takes so much longer from now on. */
  delay(ms: number): void;
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

/** A node with a host that remembers, and the world's witness beside it. */
export function openNode(
  witness: Witness,
  ports: Pick<NodeOptions, "clock" | "random" | "ids" | "step">,
  { name, auth = { open: true }, grants = everything, pace }: NodeSetup & { readonly name: string },
): Omit<TestNode, "url" | "crash"> {
  const host = new TestHost(witness.history);
  const dead: DeadRemoteLetter[] = [];
  const left: string[] = [];
  const remote = new RemoteNode({
    ...ports,
    node: name,
    hosting: host,
    auth,
    grants: () => grants,
    pace: { ...testPace, ...pace },
    dead(_, letter) {
      dead.push(letter);
      witness.letter(letter);
    },
    joined: (session) => witness.watch(session),
    left: (_, reason) => left.push(reason),
  });
  return { remote, host, dead, left };
}

/** Dials as it is told to, until the process that dials is gone. */
export function transportOf(transport: Transport, isGone: () => boolean): Transport {
  return {
    dial: (url, options) =>
      isGone() ? Promise.reject(new Error("this process is gone")) : transport.dial(url, options),
  };
}

/** Bytes that are kept when all garbage is gone. */
export function keptBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Tells a story in a world to its end, when every session is over, and judges all that happened in it. */
export async function tellThrough(world: World, run: (world: World) => Promise<void>): Promise<void> {
  try {
    await run(world);
  } finally {
    await world[Symbol.asyncDispose]();
  }
  expect(judgeHistory(world.history, "over")).toEqual([]);
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
