import { setTimeout as pass } from "node:timers/promises";
import type { Codec, WireData } from "../../machines/wire/codec.ts";
import { frameBytesMax } from "../../machines/wire/limits.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { RawClient, upgradeRequest, webSocketFrame } from "./fuzz-client.ts";
import { tellOf } from "./fuzz-edges.ts";
import { diceOf, helloOf, type Dice } from "./fuzz-frames.ts";
import { atOnceMs, heldResources, SocketHouse } from "./fuzz-house.ts";
import { Oracle } from "./fuzz-oracle.ts";
import { floodBySockets, runPrompt, runSlow } from "./fuzz-slow.ts";
import { firstFrame, fuzzCodecs, nextFrame, shortly, speakerOf, visitFramesMax } from "./fuzz-visit.ts";

export interface SocketResult {
  readonly frames: number;
  readonly outcomes: { readonly [outcome: string]: number };
  readonly findings: readonly string[];
}

/** Time to live of a session whose connection ended without a verdict: it must be over before the end. */
const ttlMs = 300;
/** What one node gives the slow: long enough that a busy machine is not taken for a slow client. */
const hastyMs = 700;

interface Report {
  outcome(outcome: string): void;
  find(message: string): void;
}

/** Text as it arrives: what is no Unicode cannot be said in UTF-8. */
function asItArrives(data: WireData): WireData {
  return typeof data === "string" ? data.toWellFormed() : data;
}

/** One hostile visit, and who makes it. */
class SocketVisit {
  readonly #house: SocketHouse;
  readonly #codec: Codec;
  readonly #dice: Dice;
  readonly #report: Report;
  readonly #oracle: Oracle;
  readonly #client: RawClient;
  #heard = 0;

  constructor(house: SocketHouse, who: { codec: Codec; address: string; dice: Dice }, report: Report) {
    this.#house = house;
    this.#codec = who.codec;
    this.#dice = who.dice;
    this.#report = report;
    this.#oracle = new Oracle(who.codec.name);
    this.#client = new RawClient(house.port, who.address);
    this.#client.say(upgradeRequest(house.port, { protocol: `troupe.v1.${who.codec.name}` }));
  }

  async run(): Promise<void> {
    this.#house.host.history.length = 0;
    const isOpen = await this.#client.until(() => this.#client.status !== undefined, atOnceMs);
    if (!isOpen || this.#client.status !== 101) this.#report.find(`the upgrade was answered ${this.#client.status}`);
    for (let turn = 0; turn <= visitFramesMax; turn += 1) {
      const speaker = speakerOf(this.#codec, this.#oracle, this.#dice);
      const data = asItArrives(turn === 0 ? firstFrame(this.#codec, this.#dice) : nextFrame(speaker));
      if (this.#oracle.isUnsure(data)) continue;
      if (!(await this.#say(data))) return this.#client.end();
    }
    await this.#leave();
  }

  /** Whether there is more to be said. */
  async #say(data: WireData): Promise<boolean> {
    const wasWelcome = this.#oracle.isWelcome;
    const verdict = this.#oracle.judge(data);
    this.#report.outcome(`${this.#codec.name} ${verdict}`);
    this.#client.say(webSocketFrame(data));
    if (typeof verdict === "number") return this.#refused(verdict, data);
    // What the node grants is in its welcome.
    if (this.#oracle.isWelcome && !wasWelcome) return this.#answered(data, '"W"', "\u00a1W");
    return true;
  }

  async #refused(verdict: number, data: WireData): Promise<false> {
    await this.#client.until(() => this.#client.code !== undefined || this.#client.isClosed, atOnceMs);
    const { code } = this.#client;
    // docs/protocol.md, "Close codes": 1009 where the WebSocket noticed first.
    const isLarge = verdict === 4413 && code === 1009 && Buffer.byteLength(data) > frameBytesMax;
    if (code !== verdict && !isLarge) this.#find(data, `${verdict} was due, and ${code ?? "no code"} came`);
    const { sessions, strangers } = this.#house.guests;
    // Who was too loud keeps its place at the door until its connection is gone; `findLeft` sees whether it is.
    if (code !== 4413 && sessions + strangers > 0)
      this.#find(data, `${sessions} sessions and ${strangers} strangers are left`);
    this.#compareTold(data);
    return false;
  }

  /** Waits for a frame that has this in it, in JSON or in MessagePack. */
  async #answered(data: WireData, text: string, bytes: string): Promise<boolean> {
    const { frames } = this.#client;
    const [from, mark] = [
      this.#heard,
      Buffer.from(this.#codec.name === "json" ? text : bytes, this.#codec.name === "json" ? "utf8" : "latin1"),
    ];
    const isAnswered = (): boolean => frames.slice(from).some((frame) => frame.includes(mark));
    await this.#client.until(() => isAnswered() || this.#client.isClosed, atOnceMs);
    for (const frame of frames.slice(from))
      this.#oracle.hear(this.#codec.name === "json" ? frame.toString("utf8") : frame);
    this.#heard = frames.length;
    if (!isAnswered()) this.#find(data, `it was to be taken, and ${this.#client.code ?? "nothing"} came`);
    return isAnswered();
  }

  /** Whoever was taken all the time can still ask something, and what was told has arrived. */
  async #leave(): Promise<void> {
    const { name } = this.#codec;
    if (!this.#oracle.isWelcome) await this.#say(this.#codec.write(helloOf({ node: "late", inc: "i", codec: name })));
    const ask = { id: "last", k: "call", to: "/nobody" } as const;
    const last = this.#codec.write({ t: "M", a: 0, l: 1_024, m: [tellOf(this.#oracle.recv + 1, ask)] });
    if ((await this.#say(last)) && (await this.#answered(last, '"last"', "last"))) this.#compareTold(last);
    this.#client.say(webSocketFrame(Buffer.of(0x03, 0xe8), { opcode: 8 }));
    await this.#client.until(() => this.#client.isClosed, atOnceMs);
    const { code } = this.#client;
    if (code !== 1000) this.#find(last, `a goodbye was answered with ${code ?? "nothing"}`);
    this.#client.end();
  }

  #compareTold(data: WireData): void {
    const told = this.#house.host.history.length;
    if (told !== this.#oracle.told)
      this.#find(data, `${this.#oracle.told} messages were to be delivered, and ${told} were`);
  }

  #find(data: WireData, message: string): void {
    this.#report.find(`${this.#codec.name} ${shortly(data)}: ${message}`);
  }
}

/** Loopback has sixteen million addresses: the door bounds what one of them may do, and each visitor has its own. */
export function addressOf(visitor: number): string {
  return `127.${1 + (visitor >> 14)}.${(visitor >> 7) & 127}.${2 + (visitor & 127)}`;
}

/** Waits until nobody and nothing is left; what is, otherwise. */
async function findLeft(houses: readonly SocketHouse[], before: ReturnType<typeof heldResources>): Promise<string[]> {
  const ends = performance.now() + atOnceMs;
  for (;;) {
    const held = heldResources();
    const guests = houses.map((house) => house.guests);
    const isFree = guests.every(({ sessions, strangers }) => sessions + strangers === 0);
    if (isFree && held.sockets <= before.sockets && held.timers <= before.timers) return [];
    if (performance.now() > ends) return [`left: ${JSON.stringify({ guests, held, before })}`];
    // A socket that is gone says so to nobody here.
    await pass(5);
  }
}

/** What the campaign of hostile frames does without sockets, through real doors and sockets: frames, sizes, the slow and the many. */
export async function runSockets({
  frames,
  seed,
  findingsMax = 20,
}: {
  readonly frames: number;
  readonly seed: number;
  /** A broken node makes one after another, and each takes its time. */
  readonly findingsMax?: number;
}): Promise<SocketResult> {
  const findings: string[] = [];
  const outcomes: Record<string, number> = {};
  let [said, visitor] = [0, 0];
  const report: Report = {
    outcome(outcome) {
      said += 1;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    },
    find: (message) => findings.push(`seed ${seed}, visitor ${visitor}: ${message}`),
  };
  await using house = await SocketHouse.open(seed, {});
  await using patient = await SocketHouse.open(seed, { pace: { ttlMs } });
  await using hasty = await SocketHouse.open(seed, {
    pace: { ttlMs, handshakeTimeoutMs: hastyMs },
    doorPace: { headersTimeoutMs: hastyMs, checkMs: 50 },
  });
  const houses = [house, patient, hasty];
  const before = heldResources();
  const dice = diceOf(seededRandom(seed));
  const others = Promise.all([runPrompt(patient), runSlow(hasty, hastyMs)]);
  for (; said < frames && findings.length < findingsMax; visitor += 1) {
    const codec = fuzzCodecs[visitor % fuzzCodecs.length] as Codec;
    await new SocketVisit(house, { codec, address: addressOf(visitor), dice }, report).run();
  }
  findings.push(...(await others).flat());
  if (findings.length >= findingsMax) return { frames: said, outcomes, findings };
  findings.push(...(await floodBySockets(house)));
  findings.push(...(await findLeft(houses, before)));
  for (const one of houses) if (!(await one.isUndisturbed())) findings.push("an honest link was disturbed");
  return { frames: said, outcomes, findings };
}
