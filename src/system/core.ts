import type { Failure, Outcome } from "../../machines/failure.ts";
import type { Ids, Random } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Observe } from "../ports/observe.ts";
import type { Cell } from "./cell.ts";
import { CrashLog } from "./crash-log.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Deadlines, type Expiring } from "../ports/deadlines.ts";
import type { Delivery } from "./delivery.ts";
import { RunQueue } from "./run-queue.ts";
import { Timers } from "./timers.ts";

/** What the runtime needs from outside. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly observe: Observe;
}

/** The floor above hears of agents through this; there is one, the registry. */
export interface CellListener {
  up(cell: Cell): void;
  /** The incarnation has ended; `failure` when it crashed. */
  down(cell: Cell, failure: Failure | undefined): void;
  /** It has ended for good. */
  gone(cell: Cell): void;
  /** A delivery that it had in hand has its outcome. */
  settled(cell: Cell, delivery: Delivery, outcome: Outcome<unknown>): void;
  /** A handler that went on after its turn took so long. */
  measured(cell: Cell, ms: number): void;
  /** The cell took `count` messages in one turn of the thread, which began at `from`. */
  worked(cell: Cell, count: number, from: number): void;
}

/** A call with a deadline, which the troupe may close before. */
export interface ClosingCall extends Expiring {
  close(): void;
}

/** Resident actors allowed unless the troupe is created with another limit. */
export const residentActorsMax = 100_000;

/** What all cells and supervisors of one troupe share. */
export class Core {
  readonly ports: Ports;
  readonly runQueue = new RunQueue();
  readonly deadlines: Deadlines<ClosingCall>;
  /** For everything that waits on behalf of the troupe itself. */
  readonly timers: Timers;
  readonly deadLetters: DeadLetters;
  readonly crashLog: CrashLog;
  readonly residentMax: number;
  listener: CellListener | undefined;
  residents = 0;
  closed = false;
  #incarnations = 0;

  constructor(ports: Ports, residentMax: number = residentActorsMax) {
    this.ports = ports;
    this.residentMax = residentMax;
    this.deadlines = new Deadlines(ports.clock);
    this.timers = new Timers(ports.clock);
    this.deadLetters = new DeadLetters(ports.clock, ports.observe);
    this.crashLog = new CrashLog(ports.clock, ports.log);
  }

  /** Never given twice in one troupe, so that a path's incarnations are never confused. */
  nextIncarnation(): number {
    this.#incarnations += 1;
    return this.#incarnations;
  }

  /** From now on nothing new is taken, and nothing that only waits keeps the process alive. */
  close(): void {
    this.closed = true;
    this.timers.close();
  }

  /** Whether somebody listens. What happens often asks first, so that nothing is built for nobody. */
  get heard(): boolean {
    return this.ports.observe.heard;
  }

  publish(type: string, agent: string, data: { readonly [key: string]: string | number | boolean | null } = {}): void {
    const { observe, clock } = this.ports;
    if (observe.heard) observe.publish({ type, at: clock.now(), agent, data });
  }
}
