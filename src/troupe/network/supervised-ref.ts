import { failure, type Outcome } from "../../../machines/failure.ts";
import type { CallOptions, StreamOptions, TellOptions, TellResult } from "../../agent/context.ts";
import { openStream, type CallStream } from "../../agent/call-stream.ts";
import type { AgentRef } from "../../dispatch/ref.ts";
import { TroupeError } from "../../errors.ts";
import type { Core } from "../../system/core.ts";
import type { Down } from "../../system/watch.ts";
import type { Place } from "./place.ts";
import type { RemoteChild } from "./remote-child.ts";

/** An agent on another node under a supervisor here. It stays good through restarts, wherever they lead. */
export class SupervisedRef implements AgentRef {
  readonly #child: RemoteChild;
  readonly #core: Core;
  readonly weight: number;

  constructor(child: RemoteChild, core: Core, weight: number) {
    this.#child = child;
    this.#core = core;
    this.weight = weight;
  }

  get path(): string {
    return this.#child.path;
  }
  get incarnation(): number {
    return this.#child.life?.incarnation ?? 0;
  }
  /** The node that it runs on now; "" while it is on its way. */
  get node(): string {
    return this.#child.life?.place.node ?? "";
  }
  get state(): string {
    return this.#child.state;
  }

  call(capability: string, input: unknown, options: CallOptions = {}): Promise<Outcome<unknown>> {
    return this.#send(capability, { input, options });
  }

  stream(capability: string, input: unknown, options: StreamOptions = {}): CallStream<never, never> {
    return openStream(options, (given) => this.#send(capability, { input, ...given }));
  }

  async #send(capability: string, given: Parameters<Place["call"]>[2]): Promise<Outcome<unknown>> {
    const { life, path } = this.#child;
    if (life !== undefined) return await life.place.call(life.at, capability, given);
    const message = `${path} is not up now; nothing was begun, so ask again when it is`;
    return { ok: false, failure: failure("remote/unreachable", message, { agent: path }) };
  }

  tell(capability: string, input: unknown, options: TellOptions = {}): TellResult {
    const { life, path } = this.#child;
    if (life !== undefined) return life.place.tell(life.at, capability, { input, options });
    this.#core.deadLetters.add("remote", path, capability, { why: "it is not up now" });
    return "stopped";
  }

  monitor(options: { readonly signal?: AbortSignal } = {}): Promise<Down> {
    return this.#child.monitor(options.signal);
  }
  pause(): void {
    this.#refuse("pause");
  }
  resume(): void {
    this.#refuse("resume");
  }
  kill(reason = "killed"): void {
    this.#child.kill(reason);
  }
  async stop(): Promise<void> {
    await this.#child.parent.terminate(this.#child);
  }

  #refuse(verb: string): never {
    const how = `use peer.ref(path).${verb}() where the node grants tell:node:control`;
    throw new TroupeError("usage/invalid-options", `${this.path} runs on another node; ${how}`);
  }
}
