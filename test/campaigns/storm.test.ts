import { spawn } from "node:child_process";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { systemIds, systemRandom } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { handshakeBurstMax, handshakesPerSecondMax, strangersPerAddressMax } from "../../src/remote/limits.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { TestHost } from "../conformance/transport-host.ts";

const clients = 500;
/** How long the last client may take: the longest wait between two attempts, twice. */
const upWithinMs = 60_000;
/** How long what the server has said may be on its way: it comes through a pipe, and its clients over sockets. */
const heardWithinMs = 60_000;
/** Share of the clients that may knock within one second; without chance in their waits all would. */
const shareAtOnce = 0.8;
/** How long the server is gone. */
const goneMs = 1_000;

/** One life of the server, as a process of its own. */
async function serve(port: number) {
  const file = join(import.meta.dirname, "../fixtures/remote/storm-server.ts");
  const argv = ["--conditions=troupe-source", file, String(port)];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const joins: number[] = [];
  const joined = new Set<string>();
  const knocks: number[] = [];
  const url = await new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as { url?: string; joined?: number; peer?: string; knocked?: number };
      if (said.url !== undefined) resolve(said.url);
      if (said.joined !== undefined) joins.push(said.joined);
      if (said.peer !== undefined) joined.add(said.peer);
      if (said.knocked !== undefined) knocks.push(said.knocked);
    }),
  );
  return { child, joins, joined, knocks, url };
}

function mostWithin(ms: number, times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
}

test(`${clients} clients over real sockets lose their server to kill -9 and all come back within its rate`, async () => {
  const first = await serve(0);
  const lives = [first];
  const nodes = Array.from(
    { length: clients },
    (_, index) =>
      new RemoteNode({
        node: `client-${index}`,
        clock: systemClock,
        random: systemRandom,
        ids: systemIds,
        hosting: new TestHost([]),
        auth: {},
        grants: () => [],
      }),
  );
  try {
    const dialers = nodes.map((node) => node.dial({ url: first.url, transport: webSocketTransport, auth: {} }));
    const up = (): number => dialers.filter(({ state }) => state === "up").length;
    // Polls, since 500 links tell no one place when they are all up.
    const allUp = async (): Promise<number> => {
      const from = performance.now();
      while (up() < clients && performance.now() - from < upWithinMs) await sleep(20);
      return Math.round(performance.now() - from);
    };
    await allUp();
    expect(up()).toBe(clients);
    const still = monitorEventLoopDelay({ resolution: 10 });
    still.enable();
    first.child.kill("SIGKILL");
    while (up() > 0) await sleep(5);
    await sleep(goneMs);
    const second = await serve(Number(new URL(first.url).port));
    lives.push(second);
    const backMs = await allUp();
    expect(up()).toBe(clients);
    const from = performance.now();
    while (second.joined.size < clients && performance.now() - from < heardWithinMs) await sleep(20);
    // One whose welcome comes too late for it joins again.
    expect(second.joined.size).toBe(clients);
    const worst = mostWithin(1_000, second.joins);
    // Who is let in knocked before: as many more as may stand at the door when the second begins.
    expect(worst).toBeLessThanOrEqual(handshakeBurstMax + handshakesPerSecondMax + strangersPerAddressMax);
    still.disable();
    // While this process stands still nobody knocks, and afterwards all who were due do at once.
    const late = still.max / 1e9;
    expect(mostWithin(1_000, second.knocks)).toBeLessThanOrEqual(clients * (shareAtOnce + late));
    const crowd = [100, 1_000].map((ms) => mostWithin(ms, second.knocks));
    const knocked = `${second.knocks.length} knocks, ${crowd.join(" and ")} in the worst 100 ms and second`;
    process.stdout.write(`${worst} let in within the worst second, ${knocked}; the last one back after ${backMs} ms\n`);
  } finally {
    for (const { child } of lives) child.kill("SIGKILL");
    await Promise.all(nodes.map((node) => node.close()));
  }
});
