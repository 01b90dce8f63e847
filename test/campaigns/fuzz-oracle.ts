import type { WireData } from "../../machines/wire/codec.ts";
import type { Frame } from "../../machines/wire/frames.ts";
import { depthMax, frameBytesMax } from "../../machines/wire/limits.ts";
import { coldSchemas, hotFrameSchema } from "../../machines/wire/schemas.ts";
import { handshakeFrameBytesMax } from "../../src/remote/limits.ts";
import { readBytes } from "./fuzz-msgpack.ts";

/** What is due to a frame: it is taken, passed over, or its sender is sent away with a close code. */
export type Verdict = "accepted" | "ignored" | number;

/** The message that is told, and to whom it goes, where every message to it is delivered. */
const toldAddress = "/a";

/** Whether a parsed value nests at most `levels` deep, and has no own key `__proto__`. */
function isFit(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  if (levels === 0 || Object.hasOwn(value, "__proto__")) return false;
  for (const key in value) if (!isFit((value as Record<string, unknown>)[key], levels - 1)) return false;
  return true;
}

/** The value of JSON text; undefined, which none has, where it is not to be taken. */
function readText(text: string, levels: number): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isFit(value, levels) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A message in a binary frame may be the JSON of it: docs/protocol.md, "MessagePack". */
function readTextMessages(frame: unknown): unknown {
  const { m } = (frame ?? {}) as { readonly m?: unknown };
  if (!Array.isArray(m)) return frame;
  const messages = m.map((one: unknown) => (typeof one === "string" ? readText(one, depthMax - 2) : one));
  return { ...(frame as object), m: messages };
}

function readWhole(codec: string, data: WireData): unknown {
  if ((codec === "json") !== (typeof data === "string")) return undefined;
  return typeof data === "string" ? readText(data, depthMax) : readTextMessages(readBytes(data, depthMax));
}

/** By the schemas, which are the law that the guards of the product are held to. */
function readFrame(codec: string, data: WireData): Frame | "ignored" | "malformed" {
  const value = readWhole(codec, data);
  const t = typeof value === "object" && value !== null ? (value as { readonly t?: unknown }).t : undefined;
  if (typeof t !== "string") return "malformed";
  if (t.startsWith("x-")) return "ignored";
  const parsed = (coldSchemas.get(t) ?? hotFrameSchema).safeParse(value);
  return parsed.success ? parsed.data : "malformed";
}

/**
 * What one connection has coming for each frame that it says to a node that takes whoever names no credentials. Its
 * sources are the schemas, the limits and docs/protocol.md: it runs no code of a codec, a session or a door.
 */
export class Oracle {
  readonly #codec: string;
  #isWelcome = false;
  #recv = 0;
  #told = 0;
  #isDraining = false;
  #load: number | undefined;
  /** Messages that the node has sent, and that it said it takes; both are heard from itself. */
  #sent = 0;
  #granted = 0;
  #error = 0;

  constructor(codec: string) {
    this.#codec = codec;
  }

  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** The highest message that the node must have. */
  get recv(): number {
    return this.#recv;
  }

  /** Messages that must have been delivered to the one agent that may be told something. */
  get told(): number {
    return this.#told;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** What the last sign of life said. */
  get load(): number | undefined {
    return this.#load;
  }

  /** The code in the last word of the node, or 0. */
  get error(): number {
    return this.#error;
  }

  /** Takes what the node says. */
  hear(data: WireData): void {
    const said = typeof data === "string" ? (JSON.parse(data) as unknown) : readBytes(data, depthMax);
    const frame = said as Frame;
    this.#error = frame.t === "E" ? frame.code : 0;
    if (frame.t === "W") this.#granted = frame.lim.msgs;
    if ("l" in frame) this.#granted = Math.max(this.#granted, frame.l);
    if (frame.t === "M") this.#sent = Math.max(this.#sent, ...frame.m.map(({ s }) => s));
  }

  /** Whether a frame acknowledges what the node may or may not have sent by the time it comes. */
  isUnsure(data: WireData): boolean {
    const frame = readFrame(this.#codec, data);
    return this.#isWelcome && typeof frame === "object" && "a" in frame && frame.a > 0 && frame.a <= this.#recv;
  }

  /** What the frame has coming, which counts as said from now on. */
  judge(data: WireData): Verdict {
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    if (bytes > (this.#isWelcome ? frameBytesMax : handshakeFrameBytesMax)) return 4413;
    const frame = readFrame(this.#codec, data);
    if (frame === "malformed") return 4400;
    if (frame === "ignored") return "ignored";
    return this.#isWelcome ? this.#talk(frame) : this.#greet(frame);
  }

  #greet(frame: Frame): Verdict {
    if (frame.t !== "H") return 4400;
    if (!frame.v.includes(1) || frame.codec !== this.#codec) return 4406;
    if (frame.auth.k !== "none") return 4401;
    this.#isWelcome = true;
    return "accepted";
  }

  #talk(frame: Frame): Verdict {
    if (frame.t === "G") this.#isDraining = true;
    if (frame.t === "G" || frame.t === "E") return "accepted";
    if (!("a" in frame) || frame.a > this.#sent) return 4400;
    if (frame.t === "I") this.#load = frame.load;
    for (const { s, k, to } of frame.t === "M" ? frame.m : []) {
      if (s <= this.#recv) continue;
      if (s > this.#recv + 1 || s > this.#granted) return 4400;
      this.#recv = s;
      if (k === "tell" && to === toldAddress) this.#told += 1;
    }
    return "accepted";
  }
}
