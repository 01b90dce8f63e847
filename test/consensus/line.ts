import type { ReplicaPort } from "../../src/consensus/bft/port.ts";
import { readMessage } from "../../src/consensus/bft/wire.ts";

/** A line that carries only ballots between the sides until it is mended. */
export class Line {
  isCut = true;
  readonly #side: ReadonlySet<number>;

  constructor(...side: number[]) {
    this.#side = new Set(side);
  }

  of(self: number): (port: ReplicaPort) => ReplicaPort {
    return (port) => ({
      send: (to, message) => {
        const isParted = this.isCut && this.#side.has(to) !== this.#side.has(self);
        if (!isParted || readMessage(message)?.type === "ballots") port.send(to, message);
      },
      receive: (hear) => port.receive(hear),
    });
  }
}
