import type { Codec, WireData } from "../../machines/wire/codec.ts";
import type { Random } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Listening, Pipe, PipeEnd, PipeListener, Transport } from "../ports/transport.ts";

/** Bytes on the way in one pipe before it says that it is full. */
export const memoryPipeBytesMax = 1_048_576;

/** What may happen to the frames of one direction. */
interface Line {
  /** Nothing arrives any more, and nobody is told. */
  lost: boolean;
  /** Added to each frame's way, in milliseconds. */
  delayMs: number;
}

/**
 * Pipes inside one process. Time and chance come in, so that with a fake clock and a seed every run is the same, and
 * frames of different pipes overtake one another as they do between machines.
 */
export class MemoryNetwork implements Transport {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #latencyMs: number;
  readonly #places = new Map<string, (pipe: Pipe) => void>();
  readonly #wires = new Set<MemoryWire>();

  constructor(options: { readonly clock: Clock; readonly random: Random; readonly latencyMs: number }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#latencyMs = options.latencyMs;
  }

  /** The pipes that are open now, oldest first. */
  get wires(): readonly MemoryWire[] {
    return [...this.#wires];
  }

  listen(name: string, accept: (pipe: Pipe) => void): Listening {
    const url = `memory:${name}`;
    this.#places.set(url, accept);
    return {
      url,
      [Symbol.asyncDispose]: () => {
        this.#places.delete(url);
        return Promise.resolve();
      },
    };
  }

  /** The best codec of the dialer is taken: whoever listens here is of the same process, and knows it too. */
  dial(url: string, options: { readonly codecs: readonly Codec[]; readonly signal: AbortSignal }): Promise<Pipe> {
    const accept = this.#places.get(url);
    const [codec] = options.codecs;
    if (accept === undefined || codec === undefined) return Promise.reject(new Error(`nobody listens at ${url}`));
    options.signal.throwIfAborted();
    const end = { codec, address: "memory", binding: "", certified: [] };
    const wire = new MemoryWire(end, {
      after: (delayMs, fire) => void this.#clock.after(delayMs, fire),
      latencyMs: () => this.#latencyMs * this.#random.next(),
      gone: () => void this.#wires.delete(wire),
    });
    this.#wires.add(wire);
    accept(wire.listenerEnd);
    return Promise.resolve(wire.dialerEnd);
  }
}

interface WireOptions {
  after(delayMs: number, fire: () => void): void;
  latencyMs(): number;
  gone(): void;
}

/** One connection with its two ends, and the faults that a test may give it. */
class MemoryWire {
  readonly dialerEnd: MemoryPipe;
  readonly listenerEnd: MemoryPipe;
  readonly toListener: Line = { lost: false, delayMs: 0 };
  readonly toDialer: Line = { lost: false, delayMs: 0 };

  constructor(end: PipeEnd, options: WireOptions) {
    this.dialerEnd = new MemoryPipe(end, options, this.toListener);
    this.listenerEnd = new MemoryPipe(end, options, this.toDialer);
    this.dialerEnd.join(this.listenerEnd);
    this.listenerEnd.join(this.dialerEnd);
  }

  /** The connection breaks when so many more frames have arrived. */
  cutAfter(frames: number): void {
    let left = frames;
    this.dialerEnd.arrived = this.listenerEnd.arrived = () => {
      left -= 1;
      if (left <= 0) this.cut();
    };
  }

  /** The connection breaks: frames on the way are lost, and both ends are told. */
  cut(): void {
    this.dialerEnd.break();
    this.listenerEnd.break();
  }
}

class MemoryPipe implements Pipe {
  readonly end: PipeEnd;
  readonly #options: WireOptions;
  readonly #line: Line;
  #other: MemoryPipe | undefined;
  #listener: PipeListener | undefined;
  #early: (() => void)[] = [];
  #ended = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #full = false;
  /** Frames sent, frames that arrived, and those that came before one that they must follow. */
  #departed = 0;
  #arrived = 0;
  readonly #ahead = new Map<number, () => void>();
  #frameBytesMax = Number.POSITIVE_INFINITY;
  /** Frames that a stalled reader does not take. */
  paused = false;
  /** Called before each frame that arrives here. */
  arrived: (() => void) | undefined;

  constructor(end: PipeEnd, options: WireOptions, line: Line) {
    this.end = end;
    this.#options = options;
    this.#line = line;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  join(other: MemoryPipe): void {
    this.#other = other;
  }

  listen(listener: PipeListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const tell of early) tell();
  }

  send(frame: WireData): boolean {
    const bytes = Buffer.byteLength(frame);
    this.#bytesOut += bytes;
    this.#carry(() => {
      this.#other?.take(frame, bytes);
      this.#relieve(bytes);
    });
    if (this.#bytesOut > memoryPipeBytesMax) this.#full = true;
    return !this.#full;
  }

  cork(write: () => void): void {
    write();
  }

  received(): number {
    return this.#bytesIn;
  }

  limitFrames(bytes: number): void {
    this.#frameBytesMax = bytes;
  }

  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#carry(() => this.#other?.hangUp(code, reason));
    this.#finish(code, reason);
  }

  terminate(): void {
    if (this.#ended) return;
    this.#carry(() => this.#other?.hangUp(1006, ""));
    this.#finish(1006, "");
  }

  break(): void {
    this.#line.lost = true;
    this.#finish(1006, "");
  }

  take(frame: WireData, bytes: number): void {
    this.arrived?.();
    if (this.#ended) return;
    this.#bytesIn += bytes;
    if (bytes > this.#frameBytesMax) return this.close(4413, "the frame is too large");
    this.#tell(() => this.#listener?.frame(frame));
  }

  hangUp(code: number, reason: string): void {
    if (!this.#ended) this.#finish(code, reason);
  }

  /** Frames of one direction arrive in order, however long each takes. */
  #carry(arrive: () => void): void {
    const line = this.#line;
    const wayMs = this.#options.latencyMs() + line.delayMs;
    this.#departed += 1;
    const number = this.#departed;
    const deliver = (): void => {
      if (line.lost) return;
      if (this.#other?.paused === true) return this.#options.after(10, deliver);
      this.#inOrder(number, arrive);
    };
    this.#options.after(wayMs, deliver);
  }

  #inOrder(number: number, arrive: () => void): void {
    this.#ahead.set(number, arrive);
    for (let next = this.#ahead.get(this.#arrived + 1); next !== undefined; next = this.#ahead.get(this.#arrived + 1)) {
      this.#arrived += 1;
      this.#ahead.delete(this.#arrived);
      next();
    }
  }

  #relieve(bytes: number): void {
    this.#bytesOut -= bytes;
    if (!this.#full || this.#bytesOut > 0) return;
    this.#full = false;
    if (!this.#ended) this.#tell(() => this.#listener?.drained());
  }

  #finish(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#other?.hasEnded === true) this.#options.gone();
    this.#tell(() => this.#listener?.closed(code, reason));
  }

  #tell(tell: () => void): void {
    if (this.#listener === undefined) this.#early.push(tell);
    else tell();
  }
}
