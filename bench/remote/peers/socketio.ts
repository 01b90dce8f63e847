import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Peer } from "../wire.ts";
import { loadPeer } from "./load.ts";

type Answer = (value: unknown) => void;

/** What the bench uses of socket.io. */
interface ServerModule {
  readonly Server: new (
    http: unknown,
    options: object,
  ) => {
    on(
      event: "connection",
      hear: (socket: { on(event: string, hear: (payload: string, answer: Answer) => void): void }) => void,
    ): void;
  };
}

interface ClientModule {
  readonly io: (
    url: string,
    options: object,
  ) => {
    on(event: string, hear: () => void): void;
    emit(event: string, payload: string, answer?: (value: unknown) => void): void;
    close(): void;
  };
}

/** socket.io over WebSocket alone, with acknowledgements as replies. */
export const socketio: Peer = {
  async serve() {
    const { Server } = loadPeer<ServerModule>("socket.io");
    const http = createServer();
    const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
    server.on("connection", (socket) => {
      let told = 0;
      socket.on("echo", (payload, answer) => answer(payload));
      socket.on("note", () => (told += 1));
      socket.on("count", (_payload, answer) => answer(told));
    });
    await once(http.listen(0, "127.0.0.1"), "listening");
    return (http.address() as AddressInfo).port;
  },
  async connect(port) {
    const { io } = loadPeer<ClientModule>("socket.io-client");
    const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"] });
    await new Promise<void>((resolve) => socket.on("connect", resolve));
    return {
      call: (payload, answered) => socket.emit("echo", payload, answered),
      tell(payload) {
        socket.emit("note", payload);
        return true;
      },
      told: () => new Promise((resolve) => socket.emit("count", "", (told) => resolve(told as number))),
      close: () => socket.close(),
    };
  },
};
