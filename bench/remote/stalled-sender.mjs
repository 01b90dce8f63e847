import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { createTroupe } from "troupe";

/**
 * A program that tells a stopped peer as much as is taken: `node stalled-sender.mjs <port> <pid> <token> <milliseconds>`.
 * It is plain JavaScript and runs on the compiled package, so that its memory is a user's. It prints its resident memory
 * before and at most, in bytes, and how many messages were taken, as JSON.
 */

/** Most tells in one turn of the event loop. */
const tellsPerTurn = 1_000;
/**
 * Milliseconds before what was not taken is tried again. Without a wait the program goes round a hundred thousand times a
 * second, and its own promises and immediates, 1,100 of 1,300 bytes each time, make V8 double its nursery: some 30 MiB.
 */
const retryMs = 1;
const payload = "x".repeat(1_000);

const [, , port, pid, token = "", stallMs] = process.argv;
const troupe = await createTroupe({ node: "sender" });
const peer = await troupe.connect(`ws://127.0.0.1:${port}`, { auth: { token } });
const ref = peer.ref("/echo/1");
globalThis.gc?.();
const before = process.memoryUsage.rss();
process.kill(Number(pid), "SIGSTOP");
let [most, taken] = [0, 0];
const end = performance.now() + Number(stallMs);
while (performance.now() < end) {
  // As whoever minds an answer.
  for (let each = 0; each < tellsPerTurn && ref.tell("note", payload) === "accepted"; each += 1) taken += 1;
  most = Math.max(most, process.memoryUsage.rss());
  await wait(retryMs);
}
process.stdout.write(`${JSON.stringify({ before, most, taken })}\n`);
process.exit(0);
