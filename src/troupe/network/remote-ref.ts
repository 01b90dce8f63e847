import type { Outcome } from "../../../machines/failure.ts";
import type { CallOptions, StreamOptions, TellOptions, TellResult } from "../../agent/context.ts";
import { openStream, type CallStream } from "../../agent/call-stream.ts";
import { checkCallOptions } from "../../dispatch/options.ts";
import type { AgentRef } from "../../dispatch/ref.ts";
import { TroupeError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/chance.ts";
import type { Down } from "../../system/watch.ts";
import { controlPath, type ControlVerb } from "./directory.ts";
import { leavingOf } from "./leaving.ts";
import type { Peer } from "./peer.ts";

/** How long an order to another node's agent may take. */
const controlTimeoutMs = 30_000;

/** An agent of another node. It is addressed by its path, so it stays good through restarts, as a local one does. */
export class RemoteRef implements AgentRef {
  readonly path: string;
  readonly weight: number;
  readonly #peer: Peer;
  readonly #ports: { readonly clock: Clock; readonly ids: Ids };
  readonly #first: number;

  constructor(
    peer: Peer,
    at: { readonly path: string; readonly incarnation: number; readonly weight?: number },
    ports: { readonly clock: Clock; readonly ids: Ids },
  ) {
    this.#peer = peer;
    this.path = at.path;
    this.weight = at.weight ?? 1;
    this.#first = at.incarnation;
    this.#ports = ports;
  }

  get node(): string {
    return this.#peer.node;
  }
  get incarnation(): number {
    return this.#listed?.incarnation ?? this.#first;
  }
  /** As the peer said last; "unknown" where it lists no such agent. */
  get state(): string {
    return this.#listed?.state ?? "unknown";
  }
  get #listed(): Peer["agents"][number] | undefined {
    return this.#peer.agents.find(({ path }) => path === this.path);
  }

  call(capability: string, input: unknown, options: CallOptions = {}): Promise<Outcome<unknown>> {
    checkCallOptions(options);
    const leaving = leavingOf({ capability, input, options }, this.#ports);
    return this.#peer.call({ path: this.path }, leaving, options.signal);
  }

  stream(capability: string, input: unknown, options: StreamOptions = {}): CallStream<never, never> {
    return openStream(options, (given) => {
      checkCallOptions(given.options);
      const leaving = leavingOf({ capability, input, ...given }, this.#ports);
      return this.#peer.call({ path: this.path }, leaving, given.options.signal);
    });
  }

  tell(capability: string, input: unknown, options: TellOptions = {}): TellResult {
    checkCallOptions(options);
    const to = { path: this.path };
    return (
      this.#peer.requests.refuseTell(to, capability) ??
      this.#peer.tell(to, leavingOf({ capability, input, options }, this.#ports))
    );
  }

  async monitor(options: { readonly signal?: AbortSignal } = {}): Promise<Down> {
    const {
      reason,
      incarnation,
      failure: failed,
    } = await this.#peer.requests.monitor({ path: this.path }, options.signal);
    if (reason === "refused")
      throw new TroupeError("remote/forbidden", `node ${this.node} does not let this node watch ${this.path}`, {
        data: { needs: `watch:${this.path}` },
      });
    return {
      path: this.path,
      incarnation: incarnation ?? this.incarnation,
      reason: reason === "noproc" ? "gone" : reason,
      ...(failed === undefined ? {} : { failure: failed }),
    };
  }

  pause(): void {
    void this.#order("pause");
  }
  resume(): void {
    void this.#order("resume");
  }
  kill(reason = "killed"): void {
    void this.#order("kill", reason);
  }
  /** Errors: throws `remote/forbidden` where the peer does not grant `tell:node:control`. */
  async stop(): Promise<void> {
    const outcome = await this.#order("stop");
    if (!outcome.ok && outcome.failure.code === "remote/forbidden")
      throw new TroupeError("remote/forbidden", outcome.failure.message, { data: outcome.failure.data });
  }

  #order(verb: ControlVerb, reason?: string): Promise<Outcome<unknown>> {
    const input = { path: this.path, verb, ...(reason === undefined ? {} : { reason }) };
    return this.#peer.requests.call({ path: controlPath }, verb, { input, options: { timeoutMs: controlTimeoutMs } });
  }
}
