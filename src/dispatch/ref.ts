import type { Outcome } from "../../machines/failure.ts";
import type { CallOptions, StreamOptions, TellOptions, TellResult } from "../agent/context.ts";
import type { Capabilities } from "../agent/define.ts";
import type { Cell } from "../system/cell.ts";
import type { Down } from "../system/watch.ts";
import { openStream, type CallStream } from "../agent/call-stream.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** The input that a caller gives to one capability. */
export type InputOf<Caps extends Capabilities, Name extends keyof Caps> = Caps[Name]["input"];

/** What a capability yields where it is a stream. */
export type ItemOf<Caps extends Capabilities, Name extends keyof Caps> = Caps[Name]["item"];

/**
 * One agent, wherever it runs. The ref stays good through restarts; once the agent has ended for good, `call`
 * answers `agent/stopped` and `tell` says "stopped".
 * Source: docs/decisions/0003.
 */
export interface AgentRef<Caps extends Capabilities = Capabilities> {
  /** Where it stands in the supervision tree: "/reviewer/1". */
  readonly path: string;
  /** Which start of it is running now; a restart has a new number, and no number is given twice. */
  readonly incarnation: number;
  /** The node it runs on. */
  readonly node: string;
  /** Its voting weight where it is a voter. */
  readonly weight: number;
  /** The state of its life-cycle chart. */
  readonly state: string;
  /**
   * Sends a request to this very agent and resolves with its outcome; never rejects for a failure of the world. Who is
   * named is meant: it goes there also when the agent is suspect, paused or behind an open breaker.
   */
  call<Name extends keyof Caps & string>(
    capability: Name,
    input: InputOf<Caps, Name>,
    options?: CallOptions,
  ): Promise<Outcome<Caps[Name]["output"]>>;
  /**
   * Begins a stream of this very agent: its items as they come, and its outcome. Of a capability that is none it has no
   * items. Errors: throws `usage/invalid-options`.
   */
  stream<Name extends keyof Caps & string>(
    capability: Name,
    input: InputOf<Caps, Name>,
    options?: StreamOptions,
  ): CallStream<ItemOf<Caps, Name>, Caps[Name]["output"]>;
  /** Leaves a message without a reply; says at once whether the mailbox took it. */
  tell<Name extends keyof Caps & string>(
    capability: Name,
    input: InputOf<Caps, Name>,
    options?: TellOptions,
  ): TellResult;
  /** Resolves once when the present incarnation has ended; rejects when `signal` aborts first. */
  monitor(options?: { readonly signal?: AbortSignal }): Promise<Down>;
  /** Takes no further message until resumed; what is in hand goes on. */
  pause(): void;
  resume(): void;
  /** Stops it for good, in good order: what is in hand may finish within the shutdown time. */
  stop(): Promise<void>;
  /** Crashes it at once, as a fault of its own would; its supervisor decides what follows. */
  kill(reason?: string): void;
}

/** The local ref: a door to a cell. */
export class LocalRef implements AgentRef {
  readonly #cell: Cell;
  readonly #dispatcher: Dispatcher;
  readonly node: string;
  readonly weight: number;

  constructor(cell: Cell, dispatcher: Dispatcher, options: { readonly node: string; readonly weight: number }) {
    this.#cell = cell;
    this.#dispatcher = dispatcher;
    this.node = options.node;
    this.weight = options.weight;
  }

  /** The cell behind a ref of this process. */
  static cellOf(ref: AgentRef): Cell | undefined {
    return ref instanceof LocalRef ? ref.#cell : undefined;
  }

  get path(): string {
    return this.#cell.path;
  }
  get incarnation(): number {
    return this.#cell.incarnation;
  }
  get state(): string {
    return this.#cell.state;
  }
  call(capability: string, input: unknown, options?: CallOptions): Promise<Outcome<unknown>> {
    return this.#dispatcher.send({ capability, input, options, target: this.#cell });
  }
  stream(capability: string, input: unknown, options: StreamOptions = {}): CallStream<never, never> {
    return openStream(options, (given) => this.#dispatcher.send({ capability, input, target: this.#cell, ...given }));
  }
  tell(capability: string, input: unknown, options?: TellOptions): TellResult {
    return this.#dispatcher.tellTo(this.#cell, capability, input, options === undefined ? undefined : { options });
  }
  monitor(options?: { readonly signal?: AbortSignal }): Promise<Down> {
    return this.#cell.monitor(options?.signal);
  }
  pause(): void {
    this.#cell.pause();
  }
  resume(): void {
    this.#cell.resume();
  }
  kill(reason = "killed"): void {
    this.#cell.crash(new Error(reason));
  }
  async stop(): Promise<void> {
    await this.#cell.parent.terminate(this.#cell);
  }
}
