import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

interface Way {
  readonly near: Socket;
  readonly far: Socket;
  /** Bytes that still pass before the connection is cut. */
  left: number;
  /** Nothing arrives at the far end, or at the near one. */
  swallowed: { toFar: boolean; toNear: boolean };
  delayMs: number;
  bytesPerMs: number;
}

/** A TCP proxy that harms what passes: cuts, resets, truncation in the middle of a frame, black holes, delay. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #ways = new Set<Way>();
  closed = false;
  /** Where connections go to; set when that is known. */
  target = 0;
  /** From a piece on of which this says so nothing passes any more on its connection, and nobody is told. */
  swallowsFrom: (piece: Buffer, heading: "toFar" | "toNear") => boolean = () => false;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (near) => this.#accept(near));
  }

  static async open(): Promise<ChaosProxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ChaosProxy(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#ways.size;
  }

  #accept(near: Socket): void {
    near.on("error", () => near.destroy());
    if (this.closed) return void near.destroy();
    const far = connect({ port: this.target, host: "127.0.0.1", noDelay: true });
    const way: Way = {
      near,
      far,
      left: Number.POSITIVE_INFINITY,
      swallowed: { toFar: false, toNear: false },
      delayMs: 0,
      bytesPerMs: Number.POSITIVE_INFINITY,
    };
    this.#ways.add(way);
    far.on("error", () => far.destroy());
    this.#join(way, near, "toFar");
    this.#join(way, far, "toNear");
  }

  #join(way: Way, from: Socket, heading: "toFar" | "toNear"): void {
    const to = heading === "toFar" ? way.far : way.near;
    // Bytes that are delayed leave in the order in which they came, also where a later delay is shorter.
    const waiting: Buffer[] = [];
    let due = 0;
    from.on("data", (received) => {
      if (!way.swallowed[heading] && this.swallowsFrom(received, heading))
        way.swallowed = { toFar: true, toNear: true };
      if (way.swallowed[heading]) return;
      const pass = (): void => {
        const chunk = waiting.shift();
        if (chunk === undefined || way.swallowed[heading]) return;
        const part = chunk.subarray(0, Math.min(chunk.length, way.left));
        way.left -= part.length;
        if (!to.write(part) && way.left > 0) {
          from.pause();
          to.once("drain", () => from.resume());
        }
        if (way.left <= 0) this.#end(way);
      };
      waiting.push(received);
      const now = performance.now();
      due = Math.max(due, now + way.delayMs) + received.length / way.bytesPerMs;
      if (waiting.length > 1 || due > now) setTimeout(pass, due - now);
      else pass();
    });
    from.on("close", () => {
      if (!way.swallowed[heading]) to.destroySoon();
      this.#ways.delete(way);
    });
  }

  #end(way: Way): void {
    way.near.destroySoon();
    way.far.destroySoon();
    this.#ways.delete(way);
  }

  cut(): void {
    for (const way of this.#ways) {
      way.near.destroy();
      way.far.destroy();
    }
    this.#ways.clear();
  }

  reset(): void {
    for (const way of this.#ways) {
      way.near.resetAndDestroy();
      way.far.resetAndDestroy();
    }
    this.#ways.clear();
  }

  cutAfter(bytes: number): void {
    for (const way of this.#ways) way.left = bytes;
  }

  delay(ms: number): void {
    for (const way of this.#ways) way.delayMs = ms;
  }

  /** So much passes each way and no more, as on a narrow line. */
  narrow(bytesPerMs: number): void {
    for (const way of this.#ways) way.bytesPerMs = bytesPerMs;
  }

  /** Nothing passes any more, or in one direction nothing; nobody is told. */
  swallow(which: "both" | "toFar" | "toNear" = "both"): void {
    for (const { swallowed } of this.#ways) {
      if (which !== "toNear") swallowed.toFar = true;
      if (which !== "toFar") swallowed.toNear = true;
    }
  }

  /** The dialers' ends are gone; the others are left open, and hear nothing. */
  cutDialers(): void {
    for (const way of this.#ways) {
      way.swallowed = { toFar: true, toNear: true };
      way.near.destroy();
    }
  }

  /** Takes nothing more from the dialers, so that their buffers fill. */
  stall(stalled: boolean): void {
    for (const way of this.#ways) {
      if (stalled) way.near.pause();
      else way.near.resume();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
