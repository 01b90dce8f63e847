import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import type { Address, Hosting, Incoming, IncomingCall, IncomingSpawn, RemoteDown } from "../../src/remote/hosting.ts";
import type { Deed } from "./transport-history.ts";

/** What is told has its number, alone or before what else it carries. */
export function numberOf(input: unknown): number {
  return Number(Array.isArray(input) ? input[0] : input);
}

interface Actor {
  readonly path: string;
  readonly incarnation: number;
  readonly watchers: Set<(down: RemoteDown) => void>;
  full: boolean;
}

/** A small node's worth of actors, which remembers what it was told. */
export class TestHost implements Hosting {
  readonly history: Deed[];
  readonly actors = new Map<string, Actor>();
  readonly calls: IncomingCall[] = [];
  readonly spawned: string[] = [];
  aborted = 0;
  /** Answers the last call that asks to be given something. */
  give: (outcome: Outcome<unknown>) => void = () => {};
  #incarnation = 0;

  constructor(history: Deed[]) {
    this.history = history;
  }

  start(path: string): number {
    this.#incarnation += 1;
    this.actors.set(path, { path, incarnation: this.#incarnation, watchers: new Set(), full: false });
    return this.#incarnation;
  }

  kill(path: string, reason: "stopped" | "crashed" = "stopped"): void {
    const actor = this.actors.get(path);
    this.actors.delete(path);
    for (const hear of actor?.watchers ?? []) hear({ reason });
  }

  #find({ path, incarnation }: Address): Actor | Failure {
    const actor = this.actors.get(path);
    if (actor === undefined || (incarnation !== undefined && incarnation !== actor.incarnation))
      return failure("agent/stopped", `no such incarnation of ${path}`);
    return actor.full ? failure("call/busy", `the mailbox of ${path} is full`) : actor;
  }

  tell(message: Incoming): Failure | undefined {
    const actor = this.#find(message.to);
    if ("code" in actor) return actor;
    this.history.push({ deed: "delivered", stream: message.capability, id: numberOf(message.input) });
    return undefined;
  }

  async call(call: IncomingCall): Promise<Outcome<unknown>> {
    const actor = this.#find(call.to);
    if ("code" in actor) return { ok: false, failure: actor };
    this.calls.push(call);
    call.onCancel(() => (this.aborted += 1));
    switch (call.capability) {
      case "echo":
        return { ok: true, value: call.input };
      case "fail":
        return { ok: false, failure: failure("call/rejected", "no", { why: "so" }) };
      case "items":
        for (let item = 1; item <= Number(call.input); item += 1) await call.emit(item);
        return { ok: true, value: "all" };
      case "give":
        return new Promise((resolve) => (this.give = resolve));
      case "broken":
        return { ok: true, value: () => 1 };
      case "large":
        return { ok: true, value: "x".repeat(Number(call.input)) };
      default:
        return new Promise((resolve) => {
          const end = { ok: false, failure: failure("call/cancelled", "aborted") } as const;
          call.onCancel(() => resolve(end));
        });
    }
  }

  monitor(target: Address, down: (down: RemoteDown) => void): () => void {
    const actor = this.actors.get(target.path);
    if (actor === undefined || (target.incarnation ?? actor.incarnation) !== actor.incarnation) {
      down({ reason: "noproc" });
      return () => {};
    }
    actor.watchers.add(down);
    return () => void actor.watchers.delete(down);
  }

  spawn({ name, input }: IncomingSpawn): Promise<Outcome<Required<Address>>> {
    if (typeof input !== "object") {
      const failed = failure("call/invalid-input", "an object is expected");
      return Promise.resolve({ ok: false, failure: failed });
    }
    const path = `/spawned/${this.spawned.push(name)}`;
    return Promise.resolve({ ok: true, value: { path, incarnation: this.start(path) } });
  }

  stop({ path }: Address): void {
    this.kill(path);
  }
}
