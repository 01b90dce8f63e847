import { setTimeout as pass } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Codec, WireData } from "../../machines/wire/codec.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import type { PeerSession } from "../../src/remote/peer-session.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { TestHost } from "../conformance/transport-host.ts";
import { diceOf, type Dice } from "./fuzz-frames.ts";
import { Oracle, type Verdict } from "./fuzz-oracle.ts";
import { HostilePipe } from "./fuzz-pipe.ts";
import { firstFrame, fuzzCodecs, nextFrame, shortly, speakerOf, visitFramesMax } from "./fuzz-visit.ts";

export interface FuzzResult {
  readonly frames: number;
  readonly visits: number;
  /** How often each came of a frame, in each codec: "json 4400", "msgpack accepted". */
  readonly outcomes: { readonly [outcome: string]: number };
  /** Bytes that the heap grew by from the middle of the run to its end. */
  readonly heapGrowth: number;
  readonly findings: readonly string[];
}

/** Findings that are told; a broken node makes one with every other frame. */
const findingsMax = 20;
/** Addresses that hostile clients come from: more than the door counts. */
const addresses = 20_000;
/** Visits after which the node may do what it does at the end of a turn. */
const visitsPerTurn = 256;
/** Heap that a run may hold at its end beyond what it held in its middle. */
const heapGrowthMax = 2 * 1_048_576;
/** How often, and how far apart, a heap that has grown is looked at again. */
const [looksMax, lookAgainMs] = [10, 100];

/** A process of the test runner does not begin with the flag; without it, garbage would count as growth. */
function exposeGarbageCollection(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

const collectGarbage = (globalThis as { gc?: () => void }).gc ?? exposeGarbageCollection();

/** Bytes that are held. What a turn has only just let go of is still there after one collection. */
async function heapBytes(): Promise<number> {
  for (let collection = 0; collection < 3; collection += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

/** The node under fire, and what can be seen of it. */
class Target {
  readonly host = new TestHost([]);
  readonly node: RemoteNode;
  /** The session that was accepted last. */
  joined: PeerSession | undefined;

  constructor(seed: number) {
    this.host.start("/a");
    this.node = new RemoteNode({
      node: "target",
      clock: systemClock,
      random: seededRandom(seed),
      ids: systemIds,
      hosting: this.host,
      auth: { open: true },
      grants: () => ["tell:/a"],
      joined: (session) => (this.joined = session),
    });
  }

  forget(): void {
    this.joined = undefined;
    this.host.history.length = this.host.calls.length = 0;
  }
}

/** Where what the node did is not what the frame had coming; undefined where it is. */
function findDifference(target: Target, pipe: HostilePipe, oracle: Oracle, verdict: Verdict): string | undefined {
  const { code } = pipe;
  const isRefused = typeof verdict === "number";
  if (code !== (isRefused ? verdict : undefined)) return `${verdict} was due, and ${code ?? "no code"} came`;
  if (isRefused && verdict !== 4413 && oracle.error !== verdict)
    return `${verdict} was due, and the last word was ${oracle.error}`;
  const told = target.host.history.length;
  if (told !== oracle.told) return `${oracle.told} messages were to be delivered, and ${told} were`;
  const link = target.joined?.link;
  if ((link !== undefined) !== oracle.isWelcome) return `a session was ${oracle.isWelcome ? "not " : ""}begun`;
  if (isRefused || link === undefined) return undefined;
  if (link.recv !== oracle.recv) return `the node was to have messages up to ${oracle.recv}, and has ${link.recv}`;
  if (oracle.load !== undefined && link.peerLoad !== oracle.load) return `a load was ${verdict}, and is not known`;
  const state = oracle.isDraining ? "draining" : "up";
  return link.state === state ? undefined : `the session was to be ${state}, and is ${link.state}`;
}

interface Report {
  outcome(verdict: Verdict): void;
  find(message: string): void;
}

/** One visit: mostly an honest beginning, then frames that were real once, until the door is shut or it tires. */
function visit(target: Target, who: { codec: Codec; address: string; dice: Dice }, report: Report): void {
  const { codec, dice } = who;
  const oracle = new Oracle(codec.name);
  const pipe = new HostilePipe(who.address, codec, (data) => oracle.hear(data));
  target.forget();
  target.node.accept(pipe);
  for (let turn = 0; turn <= visitFramesMax && pipe.code === undefined; turn += 1) {
    const data: WireData = turn === 0 ? firstFrame(codec, dice) : nextFrame(speakerOf(codec, oracle, dice));
    const verdict = oracle.judge(data);
    report.outcome(verdict);
    let difference: string | undefined;
    try {
      pipe.take(data);
      difference = findDifference(target, pipe, oracle, verdict);
    } catch (error) {
      difference = `${verdict} was due, and it threw ${error instanceof Error ? error.message : String(error)}`;
    }
    if (difference === undefined) continue;
    report.find(`${codec.name} ${shortly(data)}: ${difference}`);
    break;
  }
  pipe.close(1000);
}

async function honestLink(target: RemoteNode): Promise<{ check: () => Promise<boolean>; close: () => Promise<void> }> {
  const random = seededRandom(0);
  const network = new MemoryNetwork({ clock: systemClock, random, latencyMs: 0 });
  const place = network.listen("target", (pipe) => target.accept(pipe));
  const honest = new RemoteNode({
    node: "honest",
    clock: systemClock,
    random,
    ids: systemIds,
    hosting: new TestHost([]),
    auth: { open: true },
    grants: () => [],
  });
  const link = honest.dial({ url: place.url, transport: network, auth: {} });
  await link.ready();
  return {
    async check() {
      const options = { timeoutMs: 5_000 };
      const outcome = await link.session.requests.call({ path: "/a" }, "echo", { input: "alive", options });
      return outcome.ok && outcome.value === "alive" && link.session.link.stats.resumes === 0;
    },
    close: () => honest.close(),
  };
}

/** Feeds a node with hostile frames: each gets its code, nothing is left, nothing grows, and others do not notice. */
export async function runFuzz(options: { readonly frames: number; readonly seed: number }): Promise<FuzzResult> {
  const { frames: framesMax, seed } = options;
  const dice = diceOf(seededRandom(seed));
  const target = new Target(seed);
  const { node } = target;
  const findings: string[] = [];
  const find = (message: string): void => {
    if (findings.length < findingsMax) findings.push(message);
  };
  const honest = await honestLink(node);
  const outcomes: Record<string, number> = {};
  let [frames, visits, heapInMiddle] = [0, 0, 0];
  while (frames < framesMax) {
    const number = visits;
    const codec = fuzzCodecs[number % fuzzCodecs.length] as Codec;
    const address = `10.0.${number % addresses}`;
    visit(
      target,
      { codec, address, dice },
      {
        outcome(verdict) {
          frames += 1;
          const outcome = `${codec.name} ${verdict}`;
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        },
        find: (message) => find(`seed ${seed}, visit ${number}: ${message}`),
      },
    );
    visits += 1;
    if (visits % visitsPerTurn > 0) continue;
    // The shells flush at the end of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (node.sessions.length !== 1 || node.strangers !== 0)
      find(`after visit ${visits}: ${node.sessions.length - 1} sessions and ${node.strangers} strangers are left`);
    if (heapInMiddle === 0 && frames >= framesMax / 2) heapInMiddle = await heapBytes();
  }
  target.forget();
  let heapGrowth = (await heapBytes()) - heapInMiddle;
  // What is kept stays; what is only late to go, such as compiled code and what else this process does, does not.
  for (let look = 0; look < looksMax && heapGrowth > heapGrowthMax; look += 1) {
    await pass(lookAgainMs);
    heapGrowth = (await heapBytes()) - heapInMiddle;
  }
  if (heapInMiddle > 0 && heapGrowth > heapGrowthMax)
    find(`the heap grew by ${heapGrowth} bytes from the middle to the end`);
  if (!(await honest.check())) find("the honest link was disturbed");
  if (Object.hasOwn(Object.prototype, "admin")) find("the prototype of all objects was changed");
  await honest.close();
  await node.close();
  return { frames, visits, outcomes, heapGrowth, findings };
}

/** Connections from one address that say nothing: no more than the door allows wait, and all are gone at last. */
export function floodDoor(connections: number): {
  readonly waiting: number;
  readonly refused: number;
  readonly left: number;
} {
  const node = new RemoteNode({
    node: "target",
    clock: systemClock,
    random: seededRandom(1),
    ids: systemIds,
    hosting: new TestHost([]),
    auth: { tokens: ["right"] },
    grants: () => [],
  });
  const pipes = Array.from({ length: connections }, () => new HostilePipe("10.0.0.1"));
  for (const pipe of pipes) node.accept(pipe);
  const waiting = node.strangers;
  const refused = pipes.filter((pipe) => pipe.code === 4429).length;
  for (const pipe of pipes) pipe.close(1006);
  return { waiting, refused, left: node.strangers };
}
