import { setTimeout as sleep } from "node:timers/promises";
import type { SessionInput } from "../../machines/session/events.ts";
import { stepSession } from "../../machines/session/step.ts";
import { HttpDoor } from "../../src/listen/door.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Codec } from "../../machines/wire/codec.ts";
import type { Transport } from "../../src/ports/transport.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import type { PeerSession } from "../../src/remote/peer-session.ts";
import { acceptWebSockets, webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";
import { TestHost } from "../conformance/transport-host.ts";
import { everything, testPace } from "../conformance/transport-world.ts";

/** How frames are written: in one codec, or in one drawn anew for each connection of the session. */
export const chaosCodecs = ["json", "msgpack", "changing"] as const;
export type ChaosCodec = (typeof chaosCodecs)[number];

/** What one seed came to. */
export interface ChaosResult {
  readonly seed: number;
  readonly codec: ChaosCodec;
  readonly ms: number;
  readonly resumes: number;
  /** Replayed on purpose and dropped. */
  readonly duplicates: number;
  readonly faults: { readonly [fault: string]: number };
  readonly findings: readonly string[];
}

export interface ChaosOptions {
  readonly seed: number;
  /** Each way. */
  readonly messages: number;
  readonly limitMs: number;
  /** Default: json. */
  readonly codec?: ChaosCodec;
  /** The machine of both nodes; a broken one must be found. */
  readonly step?: typeof stepSession;
}

/** How far back a resumed sender begins, further than it must: the peer has to drop what it has. */
const stalenessMax = 64;

/** A machine that replays more than the peer asked for. */
export function staleStep(step: typeof stepSession): typeof stepSession {
  return (state, input: SessionInput) =>
    input.type === "attach" && state.life !== "connecting"
      ? step(state, { ...input, peerRecv: Math.max(state.acked, input.peerRecv - stalenessMax) })
      : step(state, input);
}

/** Counts what arrives at one end: every number once, each one more than the last. */
class Arrivals extends TestHost {
  next = 0;
  readonly findings: string[] = [];

  override tell(message: Parameters<TestHost["tell"]>[0]): undefined {
    const { number } = message.input as { readonly number: number };
    if (number === this.next) this.next += 1;
    else if (this.findings.length < 10)
      this.findings.push(`${message.peer}: ${number} arrived where ${this.next} was due`);
    return undefined;
  }
}

function harm(proxy: ChaosProxy, random: { next(): number }): string {
  const chance = random.next();
  if (chance < 0.3) proxy.cut();
  else if (chance < 0.45) proxy.reset();
  else if (chance < 0.65) proxy.cutAfter(1 + Math.floor(random.next() * 40_000));
  else if (chance < 0.75) proxy.swallow();
  else if (chance < 0.83) proxy.swallow("toFar");
  else if (chance < 0.91) proxy.swallow("toNear");
  else proxy.delay(1 + Math.floor(random.next() * 20));
  if (chance < 0.3) return "cut";
  if (chance < 0.45) return "reset";
  if (chance < 0.65) return "truncate";
  if (chance < 0.91) return "black hole";
  return "delay";
}

/** Tells as fast as the peer takes it. */
async function pump(session: () => PeerSession | undefined, messages: number, isOver: () => boolean): Promise<void> {
  const filler = "x".repeat(60);
  for (let number = 0; number < messages && !isOver();) {
    for (let burst = 0; burst < 200 && number < messages; burst += 1) {
      if (session()?.requests.tell({ path: "/a" }, "count", { input: { number, filler } }) !== "accepted") break;
      number += 1;
    }
    await sleep(1);
  }
}

/** Dials in the codec that the campaign is about. */
function transportIn(name: ChaosCodec, random: { next(): number }): Transport {
  const draw = (): Codec => {
    const isJson = name === "changing" ? random.next() < 0.5 : name === "json";
    return isJson ? jsonCodec : msgpackCodec;
  };
  return { dial: (url, how) => webSocketTransport.dial(url, { ...how, codecs: [draw()] }) };
}

/** Two nodes, a proxy that harms what passes, and messages both ways: nothing may be lost, repeated or reordered. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, messages, limitMs, codec = "json", step = stepSession } = options;
  const startedAt = systemClock.now();
  const random = seededRandom(seed);
  const findings: string[] = [];
  const dead = new Map<string, number>();
  let isJudged = false;
  const find = (message: string): void => {
    if (!isJudged && findings.length < 10) findings.push(message);
  };
  const proxy = await ChaosProxy.open();
  await using door = await HttpDoor.open({ port: 0, authenticated: false, hosts: [`127.0.0.1:${proxy.port}`] });
  proxy.target = door.port;
  const [here, there] = [new Arrivals([]), new Arrivals([])];
  const nodeOf = (node: string, hosting: TestHost): RemoteNode =>
    new RemoteNode({
      node,
      clock: systemClock,
      random,
      ids: systemIds,
      hosting,
      auth: { open: true },
      grants: () => everything,
      pace: { ...testPace, ttlMs: limitMs },
      step: staleStep(step),
      // A sender that is told "busy" tries again.
      dead: (peer, letter) => {
        if (letter.reason === "full" || isJudged) return;
        const end = `letters to ${peer} died: ${letter.reason}`;
        dead.set(end, (dead.get(end) ?? 0) + 1);
      },
    });
  const [alpha, beta] = [nodeOf("alpha", here), nodeOf("beta", there)];
  acceptWebSockets(door, (pipe) => beta.accept(pipe), [jsonCodec, msgpackCodec]);
  const link = alpha.dial({
    url: `ws://127.0.0.1:${proxy.port}/`,
    transport: transportIn(codec, seededRandom(seed + 1)),
    auth: {},
    grants: [...everything],
    ended: (reason) => find(`the session ended: ${reason}`),
  });
  const faults: Record<string, number> = {};
  const arrived = (): boolean => here.next === messages && there.next === messages;
  const isOver = (): boolean =>
    arrived() || systemClock.now() - startedAt > limitMs || findings.length + here.findings.length + dead.size > 0;
  const pumps = [pump(() => link.session, messages, isOver), pump(() => beta.sessions[0], messages, isOver)];
  while (!isOver()) {
    await sleep(15 + random.next() * 90);
    const fault = harm(proxy, random);
    faults[fault] = (faults[fault] ?? 0) + 1;
  }
  await Promise.all(pumps);
  findings.push(...here.findings, ...there.findings);
  const ms = systemClock.now() - startedAt;
  for (const [end, count] of dead) find(`${count} ${end}`);
  if (!arrived()) find(`after ${Math.round(ms)} ms ${there.next} and ${here.next} of ${messages} had arrived`);
  isJudged = true;
  const { resumes } = link.session.link.stats;
  const duplicates = link.session.link.stats.duplicates + (beta.sessions[0]?.link.stats.duplicates ?? 0);
  await proxy.close();
  await sleep(10);
  await Promise.all([alpha.close(), beta.close()]);
  return { seed, codec, ms, resumes, duplicates, faults, findings };
}
