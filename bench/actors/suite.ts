import { measuredSuite } from "../measuring/measured-suite.ts";
import { actorArms } from "./arms.ts";
import { rowsOf } from "./rows.ts";
import { skippedOf, targetsOf } from "./targets.ts";

const repeats = { quick: 3, full: 5 };
const regionMs = { quick: 100, full: 300 };

const method = `Ours is measured through the public API: \`troupe.call\`, \`ref.tell\`, \`troupe.spawn\` and \`ref.stop\`, with an object
schema for the input, a number for the output and a \`run\` handler. Peers are nact and bare XState actors, pinned in
\`bench/peers/actors\`; the limit is an array emptied in a microtask, and for spawning an object in a map.

- Every arm runs in a process of its own with a young generation of at least 16 MB, one at a time; rounds go through all
  arms, so that drift of the machine hits all alike. Every ratio is taken within one round; its median over the rounds is
  shown. Ratios above 1 mean that ours is more.
- Completions are counted: a burst ends when its last message was handled, a call when its reply was checked.
- "CPU" is CPU time of the whole process, collector and compiler threads included; "wall" is the wall clock. The machine is
  shared, so CPU time decides the targets.
- A bare XState send runs on the sender's stack: there is no mailbox and no turn, so its tell rows show the cost of one
  transition, not of a message. Children of one system are made with the \`parent\` option that XState's own spawn uses, and
  stopped by its internal \`_stop\`, since XState lets only a parent stop a child.
- The largest burst must fit into the mailbox, so the counter agent declares a capacity of 131,072; nact has no bound.
- Statechart calls send two events to a machine with two states and an assignment at each transition. The bare side makes
  the same two sends and reads the snapshot, in a plain loop without a promise.
- Small populations are repeated under several roots until 100,000 agents were started. A quick run starts 20,000 under
  two roots, and leaves the other counts out.
- Siblings: half are default agents, each with a pending call and its timeout; half are statecharts, each in a state with
  \`after\`. One agent is restarted by a crash, or started and stopped, again and again; the median of single operations counts.
- Storm: each of the crashing agents has two calls waiting behind the crash; the time is from the first message until the
  last of those calls is answered.
- Watching: "observation points removed" is a second copy of this very runtime in the same process, loaded from the same
  sources with every \`….heard\` replaced by \`false\` and every publishing statement by nothing
  (\`bench/actors/unobserved.ts\`). "Nobody watches" is the runtime as it is, without a subscriber. The CPU target is the
  median of pairs of slices of 16 ms that the two copies take in turns, each a mix of tells and calls. Publishes are
  counted at the port, by a counter that must see one as soon as somebody subscribes. Allocations are the growth of the
  heap over 2,000 operations while nothing is collected, with the optimizing compilers off: they remove allocations as
  they see fit, and differently each time, while unoptimized code allocates what the source says. A difference below 8
  bytes an operation is none, since no object is that small.`;

/** Local actors: ours against nact, bare XState actors and a bare queue. */
export const actorsSuite = measuredSuite({
  name: "actors",
  hasPeers: true,
  method,
  arms: actorArms,
  repeats,
  regionMs,
  rowsOf,
  targetsOf,
  skippedOf,
});
