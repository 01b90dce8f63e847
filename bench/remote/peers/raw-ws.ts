import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { Peer } from "../wire.ts";

/** Asks for the count; anything else comes back, or where it begins with a space is counted. */
const countWord = "count";
/** Bytes that may wait in the socket before nothing more is told. */
const waitingBytesMax = 1_048_576;

/** The limit: an echo over bare `ws`, without envelope, order, deadline or anything else. */
export const rawWs: Peer = {
  async serve() {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    server.on("connection", (socket) => {
      let told = 0;
      socket.on("message", (data: Buffer) => {
        if (data[0] === 0x20) told += 1;
        else if (data.length === countWord.length) socket.send(`#${told}`);
        else socket.send(data, { binary: false });
      });
    });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  },
  async connect(port) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await once(socket, "open");
    const waiting: (() => void)[] = [];
    let head = 0;
    let counted: ((told: number) => void) | undefined;
    socket.on("message", (data: Buffer) => {
      if (data[0] === 0x23) return counted?.(Number(data.subarray(1).toString()));
      const answered = waiting[head] as () => void;
      head += 1;
      if (head === 4_096) {
        waiting.splice(0, head);
        head = 0;
      }
      answered();
    });
    return {
      call(payload, answered) {
        waiting.push(answered);
        socket.send(payload);
      },
      tell(payload) {
        if (socket.bufferedAmount > waitingBytesMax) return false;
        socket.send(` ${payload}`);
        return true;
      },
      told: () =>
        new Promise((resolve) => {
          counted = resolve;
          socket.send(countWord);
        }),
      close: () => socket.terminate(),
    };
  },
};
