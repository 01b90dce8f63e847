import { measuredSuite } from "../measuring/measured-suite.ts";
import { remoteArms } from "./arms.ts";
import { rowsOf } from "./rows.ts";
import { skippedOf, targetsOf } from "./targets.ts";

const repeats = { quick: 3, full: 5 };
const regionMs = { quick: 300, full: 1_000 };

const method = `Two processes on loopback. The limit is a bare \`ws\` echo: no envelope, no order over reconnections, no deadline, no
acknowledgement, \`perMessageDeflate\` off. Ours is measured twice: through the public API, a remote ref that calls an agent
with zod schemas on the other side (\`ref.call\`, \`ref.tell\`), and at the session alone, without actors.

- "64 × 100 B" is 64 calls under way at any time, each with a text of 100 bytes that comes back; a call counts when its
  answer is there. "One way" are tells that nothing answers, counted where they arrive.
- Rates are by the wall clock, since waiting is part of a round trip; CPU time is that of both processes together, that of
  a NATS server not among it. Every ratio is taken within one round, and its median over the rounds is shown.
- Peers are pinned in \`bench/peers/remote\`: socket.io with acknowledgements, over WebSocket alone; NATS request/reply
  through the server on loopback; gRPC unary with texts as they are; comedy's remote actors over bare TCP.
- The stalled peer is a process that was stopped (SIGSTOP) and is told as much as is taken, again and again; the memory is
  the sender's whole resident set, Node.js included. The sender is plain JavaScript on the compiled package, as it is
  installed, with a collection before the stall; where Node.js strips types itself, it takes some 17 MiB more.
- Resume: the messages went into a proxy that swallowed them; the time is from the new connection until the last of them
  is acknowledged.
- Idle links come from ten thousand addresses of loopback, since handshakes are limited by address; the memory is the
  resident set of the side that was dialled, after a collection.`;

/** Remote actors: ours against bare WebSockets, socket.io, NATS, gRPC and comedy. */
export const remoteSuite = measuredSuite({
  name: "remote",
  hasPeers: true,
  method,
  arms: remoteArms,
  repeats,
  regionMs,
  rowsOf,
  targetsOf,
  skippedOf,
});
