import { stepAdmission, type AdmissionEffect, type AdmissionInput } from "../../machines/session/admission.ts";
import { takeToken, type Bucket } from "../../machines/session/bucket.ts";
import type { WireData } from "../../machines/wire/codec.ts";
import type { Hello } from "../../machines/wire/frames.ts";
import { errorFrame } from "../../machines/wire/partings.ts";
import type { Ids } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Pipe } from "../ports/transport.ts";
import { bindingOf, isKeyOf, isOneOf, keyOf, signHex, verifyHex, type Authentication } from "./authentication.ts";
import {
  countedAddressesMax,
  crowdRetryMs,
  handshakeBurstMax,
  handshakeFrameBytesMax,
  handshakesPerSecondMax,
  handshakeTimeoutMs,
  strangersMax,
  strangersPerAddressMax,
} from "./limits.ts";

export interface DoorOptions {
  readonly node: string;
  readonly inc: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly auth: Authentication;
  readonly handshakeTimeoutMs?: number;
  admit(pipe: Pipe, hello: Hello, sig: string | undefined): void;
}

/** Where strangers knock: it finds out who they are, and bounds what they cost until then. */
export class Door {
  readonly #options: DoorOptions;
  #strangers = 0;
  readonly #perAddress = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Connections whose handshake is under way. */
  get strangers(): number {
    return this.#strangers;
  }

  knock(pipe: Pipe): void {
    const { address } = pipe.end;
    const waitMs = this.#wait(address);
    if (waitMs > 0) return turnAway(pipe, { code: 4429, reason: "too many handshakes", retryAfterMs: waitMs });
    const here = this.#perAddress.get(address) ?? 0;
    if (this.#strangers >= strangersMax || here >= strangersPerAddressMax)
      return turnAway(pipe, { code: 4429, reason: "too many connections", retryAfterMs: crowdRetryMs });
    this.#strangers += 1;
    this.#perAddress.set(address, here + 1);
    pipe.limitFrames(handshakeFrameBytesMax);
    new Visit(pipe, this.#options, () => this.#left(address));
  }

  #left(address: string): void {
    this.#strangers -= 1;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }

  #wait(address: string): number {
    const plan = { perSecond: handshakesPerSecondMax, burst: handshakeBurstMax };
    const { bucket, waitMs } = takeToken(this.#buckets.get(address), this.#options.clock.now(), plan);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > countedAddressesMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    return waitMs;
  }
}

/** Says why, and closes. Nothing secret is in the reason. */
function turnAway(pipe: Pipe, why: { code: number; reason: string; retryAfterMs?: number }): void {
  const { code, reason, retryAfterMs } = why;
  pipe.listen({ frame() {}, drained() {}, closed() {} });
  pipe.send(pipe.end.codec.write(errorFrame({ what: { code, message: reason }, retryAfterMs })));
  pipe.close(code, reason);
}

/** One handshake. It holds its place at the door until it is over, one way or the other. */
class Visit {
  readonly #pipe: Pipe;
  readonly #options: DoorOptions;
  readonly #rules: Parameters<typeof stepAdmission>[2];
  readonly #left: () => void;
  #state: Parameters<typeof stepAdmission>[0] = { phase: "silent" };
  #over = false;
  readonly #limit: { cancel(): void };

  constructor(pipe: Pipe, options: DoorOptions, left: () => void) {
    const { auth, clock, ids, node, inc } = options;
    this.#pipe = pipe;
    this.#options = options;
    this.#left = left;
    this.#rules = {
      node,
      inc,
      codec: pipe.end.codec.name,
      nonce: ids.hex(16),
      key: keyOf(auth),
      binding: bindingOf(auth, pipe.end),
      open: auth.open === true,
      isToken: (token) => isOneOf(token, auth.tokens ?? []),
      isKeyOf: (who, key) => isKeyOf(auth, who, key),
      isCertified: (who) => pipe.end.certified.includes(who),
      needsCertificate: auth.certified === true,
      takesCertificate: auth.certified === true && auth.tokens === undefined && auth.signer === undefined,
      verify: verifyHex(auth),
    };
    this.#limit = clock.after(options.handshakeTimeoutMs ?? handshakeTimeoutMs, () => this.#step({ type: "timeout" }));
    pipe.listen({ frame: (data) => this.#read(data), drained() {}, closed: () => this.#finish() });
  }

  #read(data: WireData): void {
    const reading = this.#pipe.end.codec.read(data);
    if (reading.kind === "frame") this.#step({ type: "frame", frame: reading.frame });
    else if (reading.kind === "refused") this.#refuse(reading.code, reading.reason);
  }

  #step(input: AdmissionInput): void {
    if (this.#over) return;
    const [state, effects] = stepAdmission(this.#state, input, this.#rules);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: AdmissionEffect): void {
    switch (effect.type) {
      case "send":
        this.#pipe.send(this.#pipe.end.codec.write(effect.frame));
        return;
      case "sign":
        signHex(this.#options.auth, effect.bytes).then(
          (sig) => this.#step({ type: "signed", sig }),
          () => this.#refuse(4500, "this node could not sign"),
        );
        return;
      case "admit":
        this.#finish();
        return this.#options.admit(this.#pipe, effect.hello, effect.sig);
      case "refuse":
        return this.#refuse(effect.code, effect.reason);
    }
  }

  #refuse(code: number, reason: string): void {
    if (this.#over) return;
    this.#finish();
    turnAway(this.#pipe, { code, reason });
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#limit.cancel();
    this.#left();
  }
}
