import { dialWith, EchoHost, listenWith, nodeOf } from "../node.ts";
import type { Peer } from "../wire.ts";

const callMs = 30_000;

/** Ours without actors: the session alone, so that its share shows. */
export const session: Peer = {
  serve: () => listenWith(nodeOf("server", new EchoHost())),
  async connect(port) {
    const node = nodeOf("client", new EchoHost());
    const dialer = dialWith(node, port);
    await dialer.ready();
    const to = { path: "/echo/1" };
    const options = { timeoutMs: callMs };
    return {
      call(payload, answered) {
        void dialer.session.requests.call(to, "echo", { input: payload, options }).then(answered);
      },
      tell: (payload) => dialer.session.requests.tell(to, "note", { input: payload }) === "accepted",
      async told() {
        const outcome = await dialer.session.requests.call(to, "count", { input: null, options });
        if (!outcome.ok) throw new Error(outcome.failure.message);
        return outcome.value as number;
      },
      close: () => node.close(),
    };
  },
};
