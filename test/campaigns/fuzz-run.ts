import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { closeCodes } from "../../machines/wire/close-codes.ts";
import type { Codec, WireData } from "../../machines/wire/codec.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Pipe, PipeEnd, PipeListener } from "../../src/ports/transport.ts";
import type { Frame } from "../../machines/wire/frames.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { TestHost } from "../conformance/transport-host.ts";
import { helloOf } from "../conformance/transport-strangers.ts";
import { diceOf, mutateBytes, mutateFrame, realBytes, realFrames, type Dice } from "./fuzz-frames.ts";

export interface FuzzResult {
  readonly frames: number;
  readonly visits: number;
  /** How often each close code was given in each codec: "json 4400". */
  readonly codes: { readonly [code: string]: number };
  /** Bytes that the heap grew by from the first tenth of the run to its end. */
  readonly heapGrowth: number;
  readonly findings: readonly string[];
}

/** What is said in one language: honest frames, and frames that were real once. */
interface Tongue {
  readonly codec: Codec;
  readonly mutant: (dice: Dice) => WireData;
}

const tongues: readonly Tongue[] = [
  { codec: jsonCodec, mutant: (dice) => mutateFrame(dice.pick(realFrames), dice) },
  {
    codec: msgpackCodec,
    mutant(dice) {
      if (dice.below(3) > 0) return mutateBytes(dice.pick(realBytes), dice);
      const text = mutateFrame(dice.pick(realFrames), dice);
      try {
        return msgpackCodec.write(JSON.parse(text) as Frame);
      } catch {
        return text;
      }
    },
  },
];

/** The end of a connection that a hostile client holds. */
class HostilePipe implements Pipe {
  readonly end: PipeEnd;
  listener: PipeListener | undefined;
  code: number | undefined;
  sent = 0;
  #frameBytesMax = Number.POSITIVE_INFINITY;

  constructor(address: string, codec: Codec = jsonCodec) {
    this.end = { codec, address, binding: "", certified: [] };
  }

  listen(listener: PipeListener): void {
    this.listener = listener;
  }
  send(frame: WireData): boolean {
    this.sent += frame.length;
    return true;
  }
  cork(write: () => void): void {
    write();
  }
  received(): number {
    return 0;
  }
  limitFrames(bytes: number): void {
    this.#frameBytesMax = bytes;
  }
  close(code: number): void {
    if (this.code !== undefined) return;
    this.code = code;
    this.listener?.closed(code, "");
  }
  terminate(): void {
    this.close(1006);
  }
  take(data: WireData): void {
    if (this.code !== undefined) return;
    if (data.length > this.#frameBytesMax) this.close(4413);
    else this.listener?.frame(data);
  }
}

const known: ReadonlySet<number> = new Set([1000, ...Object.keys(closeCodes).map(Number)]);
/** Heap that a run may hold at its end beyond what it held at its first tenth. */
const heapGrowthMax = 32 * 1_048_576;

/** A process of the test runner does not begin with the flag; without it, garbage would count as growth. */
function exposeGarbageCollection(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

const collectGarbage = (globalThis as { gc?: () => void }).gc ?? exposeGarbageCollection();

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const tell = (s: number): Frame => ({
  t: "M",
  a: 0,
  l: 64,
  m: [{ s, id: `t${s}`, k: "tell", f: "", to: "/a", ty: "t", p: s }],
});

/** One visit: perhaps an honest beginning, then frames that were real once, until the door is shut or it tires. */
function visit(node: RemoteNode, pipe: HostilePipe, { codec, mutant }: Tongue, dice: Dice): number {
  node.accept(pipe);
  let frames = 0;
  const say = (data: WireData): void => {
    frames += 1;
    pipe.take(data);
  };
  const isHonest = dice.below(3) > 0;
  const names = { node: `n${dice.below(50)}`, inc: `i${dice.below(3)}`, codec: codec.name };
  if (isHonest) say(codec.write(helloOf(names)));
  for (let turn = 1; turn <= 12 && pipe.code === undefined; turn += 1)
    say(isHonest && dice.below(2) === 0 ? codec.write(tell(turn)) : mutant(dice));
  if (pipe.code === undefined) pipe.close(1000);
  return frames;
}

async function honestLink(
  target: RemoteNode,
  host: TestHost,
): Promise<{ check: () => Promise<boolean>; close: () => Promise<void> }> {
  const random = seededRandom(0);
  const network = new MemoryNetwork({ clock: systemClock, random, latencyMs: 0 });
  const place = network.listen("target", (pipe) => target.accept(pipe));
  const honest = new RemoteNode({
    node: "honest",
    clock: systemClock,
    random,
    ids: systemIds,
    hosting: host,
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
  const dice = diceOf(seededRandom(options.seed));
  const host = new TestHost([]);
  host.start("/a");
  const findings: string[] = [];
  const find = (message: string): void => {
    if (findings.length < 20) findings.push(message);
  };
  const node = new RemoteNode({
    node: "target",
    clock: systemClock,
    random: seededRandom(options.seed),
    ids: systemIds,
    hosting: host,
    auth: { open: true },
    grants: () => ["tell:/a"],
  });
  const honest = await honestLink(node, host);
  const codes: Record<string, number> = {};
  let [frames, visits, heapAtStart] = [0, 0, 0];
  while (frames < options.frames) {
    const tongue = tongues[visits % tongues.length] as Tongue;
    const pipe = new HostilePipe(`10.0.${visits % 20_000}`, tongue.codec);
    const before = frames;
    try {
      frames += visit(node, pipe, tongue, dice);
    } catch (error) {
      find(`visit ${visits} threw: ${error instanceof Error ? error.message : String(error)}`);
      frames += 1;
    }
    visits += 1;
    const code = `${tongue.codec.name} ${pipe.code}`;
    codes[code] = (codes[code] ?? 0) + 1;
    if (pipe.code === undefined || !known.has(pipe.code)) find(`visit ${visits} ended with code ${pipe.code}`);
    if (visits % 256 === 0) {
      // The shells flush at the end of a turn.
      await new Promise((resolve) => setImmediate(resolve));
      host.history.length = host.calls.length = 0;
      if (node.sessions.length !== 1 || node.strangers !== 0)
        find(`after visit ${visits}: ${node.sessions.length - 1} sessions and ${node.strangers} strangers are left`);
    }
    if (heapAtStart === 0 && frames >= options.frames / 10 && before < frames) heapAtStart = heapBytes();
  }
  const heapGrowth = heapBytes() - heapAtStart;
  if (heapGrowth > heapGrowthMax) find(`the heap grew by ${heapGrowth} bytes`);
  if (!(await honest.check())) find("the honest link was disturbed");
  if (Object.hasOwn(Object.prototype, "admin")) find("the prototype of all objects was changed");
  await honest.close();
  await node.close();
  return { frames, visits, codes, heapGrowth, findings };
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
