import {
  stepIntroduction,
  type IntroductionEffect,
  type IntroductionInput,
  type IntroductionState,
} from "../../machines/session/introduction.ts";
import type { Hello, Welcome } from "../../machines/wire/frames.ts";
import type { Clock } from "../ports/clock.ts";
import type { Pipe } from "../ports/transport.ts";
import { bindingOf, isKeyOf, signHex, verifyHex, type Authentication } from "./authentication.ts";
import { handshakeTimeoutMs } from "./limits.ts";

/** How a dialer's handshake ended. */
export type Introduced =
  | { readonly ok: true; readonly welcome: Welcome }
  | { readonly ok: false; readonly code: number; readonly reason: string; readonly retryAfterMs?: number };

/** A dialer's handshake on one pipe. `over` is called once; the pipe is then the caller's again, or closed. */
export function introduce(
  pipe: Pipe,
  options: { readonly hello: Hello; readonly auth: Authentication; readonly clock: Clock },
  over: (result: Introduced) => void,
): void {
  const { auth, hello } = options;
  const { codec } = pipe.end;
  const rules = {
    hello,
    binding: bindingOf(auth, pipe.end),
    isKeyOf: (node: string, key: string) => isKeyOf(auth, node, key),
    isCertified: (node: string) => pipe.end.certified.includes(node),
    verify: verifyHex(auth),
  };
  let state: IntroductionState = { phase: "greeting" };
  let isOver = false;
  const finish = (result: Introduced): void => {
    if (isOver) return;
    isOver = true;
    limit.cancel();
    if (!result.ok) pipe.close(1000, "the handshake failed");
    over(result);
  };
  const perform = (effect: IntroductionEffect): void => {
    switch (effect.type) {
      case "send":
        pipe.send(codec.write(effect.frame));
        return;
      case "sign":
        signHex(auth, effect.bytes).then(
          (sig) => step({ type: "signed", sig }),
          () => finish({ ok: false, code: 4500, reason: "this node could not sign" }),
        );
        return;
      case "welcome":
        return finish({ ok: true, welcome: effect.frame });
      case "refuse": {
        const { code, reason, retryAfterMs } = effect;
        return finish({ ok: false, code, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
      }
    }
  };
  const step = (input: IntroductionInput): void => {
    if (isOver) return;
    const [next, effects] = stepIntroduction(state, input, rules);
    state = next;
    for (const effect of effects) perform(effect);
  };
  const limit = options.clock.after(handshakeTimeoutMs, () => step({ type: "timeout" }));
  pipe.listen({
    frame(data) {
      const reading = codec.read(data);
      if (reading.kind === "frame") step({ type: "frame", frame: reading.frame });
      else if (reading.kind === "refused") finish({ ok: false, code: reading.code, reason: reading.reason });
    },
    drained() {},
    closed: (code, reason) => finish({ ok: false, code, reason }),
  });
  pipe.send(codec.write(hello));
}
