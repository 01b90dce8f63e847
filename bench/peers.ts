import { existsSync } from "node:fs";
import { installPeers } from "./install-peers.ts";

/** `npm run bench:peers -- <suite>`: installs the pinned peers of one suite. */
const [suite] = process.argv.slice(2);
if (suite === undefined || !existsSync(new URL(`./peers/${suite}`, import.meta.url))) {
  console.error(`usage: npm run bench:peers -- <suite>; a suite with a folder in bench/peers`);
  process.exit(2);
}
await installPeers(suite);
console.error(`the peers of ${suite} are installed`);
