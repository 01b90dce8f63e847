import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Arm } from "../measuring/arm.ts";
import { wallMs } from "../measuring/clocks.ts";
import { medianOf } from "../measuring/median.ts";
import { dialWith, EchoHost, hostVariable, nodeOf } from "./node.ts";
import { endOther, startOther } from "./other-process.ts";
import { resumedCount } from "./scales.ts";

const repeats = { quick: 3, full: 7 };
const to = { path: "/echo/1" };
const payload = "x".repeat(100);

/** Passes bytes on, until it is told to swallow them; then it can cut what is open. */
class Proxy {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server = createServer((near) => this.#accept(near));
  target = 0;
  swallows = false;
  /** When the latest connection came. */
  acceptedAt = 0;

  async open(): Promise<number> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  #accept(near: Socket): void {
    this.acceptedAt = wallMs();
    const far = connect({ port: this.target, host: "127.0.0.1", noDelay: true });
    const pair = [near.setNoDelay(true), far] as const;
    this.#pairs.add(pair);
    for (const [from, into] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.on("error", () => from.destroy());
      from.on("data", (chunk) => {
        if (!this.swallows) into.write(chunk);
      });
      from.on("close", () => into.destroy());
    }
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
    this.swallows = false;
  }
}

/** Messages that were sent and not acknowledged, when the connection is cut: from the new connection until all are. */
export const resumeLink: Arm = async ({ quick }) => {
  const proxy = new Proxy();
  const port = await proxy.open();
  process.env[hostVariable] = `127.0.0.1:${port}`;
  const other = await startOther("session");
  proxy.target = other.port;
  const node = nodeOf("client", new EchoHost(), { redialFirstMs: 5, redialMaxMs: 20 });
  const dialer = dialWith(node, port);
  await dialer.ready();
  const { requests, link } = dialer.session;
  const tellAll = (): void => {
    for (let each = 0; each < resumedCount; each += 1)
      if (requests.tell(to, "note", { input: payload }) !== "accepted") throw new Error("a message was not taken");
  };
  const taken: number[] = [];
  for (let each = 0; each < (quick ? repeats.quick : repeats.full); each += 1) {
    tellAll();
    await link.settle();
    proxy.swallows = true;
    tellAll();
    // They leave at the end of this turn, and into nothing.
    await new Promise((resolve) => setTimeout(resolve, 20));
    proxy.cut();
    await link.settle();
    taken.push(wallMs() - proxy.acceptedAt);
  }
  const { resumes } = link.stats;
  if (resumes !== taken.length) throw new Error(`${resumes} resumes of ${taken.length}`);
  await endOther(other);
  return { resume: { value: medianOf(taken) } };
};
