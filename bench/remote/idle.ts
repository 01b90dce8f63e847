import { WebSocket } from "ws";
import type { Hello } from "../../machines/wire/frames.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { ownLimits } from "../../src/remote/peer-session.ts";
import type { Arm } from "../measuring/arm.ts";
import { endOther, startOther } from "./other-process.ts";
import { idleLinks, token } from "./scales.ts";

/** Links opened at once. */
const openingAtOnce = 64;

/** Each link comes from an address of its own, since handshakes are limited by address. */
function addressOf(link: number): string {
  return `127.1.${link >> 8}.${link & 0xff}`;
}

function helloOf(link: number): Hello {
  return {
    t: "H",
    v: [1],
    node: `n${link}`,
    inc: systemIds.hex(),
    nonce: systemIds.hex(16),
    codec: jsonCodec.name,
    feat: ["batch"],
    lim: ownLimits,
    auth: { k: "token", token },
    sess: { id: systemIds.hex(16), recv: 0 },
  };
}

/** Opens one connection; with a handshake where the other side has sessions. */
function openLink(link: number, port: number, hasSessions: boolean): Promise<WebSocket> {
  const protocols = hasSessions ? [`troupe.v1.${jsonCodec.name}`] : [];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocols, {
    perMessageDeflate: false,
    localAddress: addressOf(link),
  });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code, reason) => reject(new Error(`link ${link} was closed: ${code} ${reason.toString()}`)));
    socket.on("open", () => (hasSessions ? socket.send(jsonCodec.write(helloOf(link))) : resolve(socket)));
    socket.on("message", (data: Buffer) => {
      const text = data.toString();
      if (text.startsWith('{"t":"W"')) resolve(socket);
      else reject(new Error(text));
    });
  });
}

/** What a link that says nothing costs the side that was dialled, in bytes of its resident memory. */
export function idleBy(name: "session" | "raw ws"): Arm {
  return async () => {
    const other = await startOther(name);
    const before = await other.ask("rss");
    let next = 0;
    const open = async (): Promise<void> => {
      while (next < idleLinks) {
        next += 1;
        await openLink(next, other.port, name === "session");
      }
    };
    await Promise.all(Array.from({ length: openingAtOnce }, open));
    const after = await other.ask("rss");
    await endOther(other);
    return { link: { value: (after - before) / idleLinks } };
  };
}
