import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import type { ClosingCall, Core } from "../system/core.ts";
import { closedFailure } from "./call-failures.ts";
import { deadlineOf, type CallRequest } from "./request.ts";

/** Waits for the outcome of another call with the same key, under this request's own deadline and signal. */
export function joinCall(
  core: Core,
  request: CallRequest,
  first: Promise<Outcome<unknown>>,
): Promise<Outcome<unknown>> {
  return new Promise((resolve) => new JoinedCall(core, request, resolve).begin(first));
}

class JoinedCall implements ClosingCall {
  readonly deadlineAt: number;
  heapIndex = -1;
  readonly #core: Core;
  readonly #request: CallRequest;
  readonly #resolve: (outcome: Outcome<unknown>) => void;

  constructor(core: Core, request: CallRequest, resolve: (outcome: Outcome<unknown>) => void) {
    this.#core = core;
    this.#request = request;
    this.#resolve = resolve;
    this.deadlineAt = deadlineOf(request, core.ports.clock.now());
  }

  begin(first: Promise<Outcome<unknown>>): void {
    const signal = this.#request.options?.signal;
    if (signal?.aborted === true) return this.#cancel();
    signal?.addEventListener("abort", this.#cancel, { once: true });
    this.#core.deadlines.add(this);
    void first.then((outcome) => this.#end(outcome));
  }

  readonly #cancel = (): void => {
    const { capability } = this.#request;
    this.#fail(failure("call/cancelled", `the caller aborted ${capability}`, { capability }));
  };

  expire(): void {
    const { capability } = this.#request;
    const message = `no outcome of ${capability}, which another call with the same key was out for, in time`;
    this.#fail(failure("call/timeout", message, { capability }));
  }

  close(): void {
    this.#fail(closedFailure(this.#request.capability));
  }

  #fail(failed: Failure): void {
    this.#end({ ok: false, failure: failed });
  }

  #end(outcome: Outcome<unknown>): void {
    this.#core.deadlines.remove(this);
    this.#request.options?.signal?.removeEventListener("abort", this.#cancel);
    this.#resolve(outcome);
  }
}
