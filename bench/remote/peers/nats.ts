import type { Peer } from "../wire.ts";
import { loadPeer } from "./load.ts";

interface Message {
  readonly data: Uint8Array;
  respond(data?: Uint8Array | string): void;
}

/** What the bench uses of the NATS client. */
interface NatsModule {
  connect(options: { readonly servers: string; readonly timeout: number }): Promise<{
    subscribe(subject: string, options: { callback(error: unknown, message: Message): void }): void;
    request(subject: string, payload: string, options: { readonly timeout: number }): Promise<Message>;
    publish(subject: string, payload: string): void;
    flush(): Promise<void>;
    close(): Promise<void>;
  }>;
}

const place = { servers: process.env["NATS_URL"] ?? "nats://127.0.0.1:4222", timeout: 2_000 };
const subject = `troupe-bench.${process.env["TROUPE_BENCH_PAIR"] ?? ""}`;

/** NATS request/reply through its server, whose CPU time is not in the figure. */
export const nats: Peer = {
  async serve() {
    const connection = await loadPeer<NatsModule>("@nats-io/transport-node").connect(place);
    let told = 0;
    connection.subscribe(`${subject}.echo`, { callback: (_error, message) => message.respond(message.data) });
    connection.subscribe(`${subject}.note`, { callback: () => (told += 1) });
    connection.subscribe(`${subject}.count`, { callback: (_error, message) => message.respond(String(told)) });
    await connection.flush();
    return 0;
  },
  async connect() {
    const connection = await loadPeer<NatsModule>("@nats-io/transport-node").connect(place);
    const timeout = 20_000;
    return {
      call(payload, answered) {
        void connection.request(`${subject}.echo`, payload, { timeout }).then(answered);
      },
      tell(payload) {
        connection.publish(`${subject}.note`, payload);
        return true;
      },
      told: async () =>
        Number(new TextDecoder().decode((await connection.request(`${subject}.count`, "", { timeout })).data)),
      close: () => connection.close(),
    };
  },
};
