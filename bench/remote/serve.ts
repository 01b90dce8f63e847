import { createInterface } from "node:readline";
import { peers, type PeerName } from "./peers/table.ts";

/** The process on the other side: it serves one peer, prints its port, and then answers questions of its parent. */
const [, , name = ""] = process.argv;
const load = peers[name as PeerName];
const port = await (await load()).serve();
process.stdout.write(`${port}\n`);
for await (const question of createInterface({ input: process.stdin })) {
  globalThis.gc?.();
  process.stdout.write(`${question === "rss" ? process.memoryUsage().rss : Number.NaN}\n`);
}
process.exit(0);
