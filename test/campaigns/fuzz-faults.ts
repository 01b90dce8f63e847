import { atOnceMs } from "./fuzz-house.ts";
import { MutatedHouse } from "../simulation/mutation.ts";

/** What the campaign of hostile frames needs of the house. */
const parts = ["package.json", "machines", "src", "test/campaigns", "test/conformance", "test/fixtures/wire"];
/** Enough for each fault to be found by the seed. */
const [frames, seed] = [2_500, 1];
/** The same through real sockets, where each takes a hundred times as long. */
const socketFrames = 300;

export interface Fault {
  /** A node that does this. */
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Real sockets must show it too. */
  readonly isBySocket?: true;
}

/** Faults of the product that the campaign must find; the first ones stand for each kind of it. */
export const faults: readonly Fault[] = [
  {
    name: "passes over kinds of frames that nobody knows, and malformed messages",
    file: "machines/wire/read-frame.ts",
    find: "if (schema === undefined)",
    replace: "if (schema === undefined) return ignored;\n  if (schema === undefined)",
  },
  {
    name: "takes any position in an acknowledgement",
    file: "machines/wire/frames.ts",
    find: `if (!isPosition(frame["a"]) || !isPosition(frame["l"])) return false;`,
    replace: "",
  },
  {
    name: "takes an acknowledgement of what was never sent",
    file: "machines/session/receiving.ts",
    find: "if (frame.a > state.outbox.lastSent) return undefined;",
    replace: "",
  },
  {
    name: "does not look how deep a frame nests",
    file: "machines/wire/depth.ts",
    find: `if (levels === 0) return "too deep";`,
    replace: "",
  },
  {
    name: "takes a key __proto__",
    file: "machines/wire/depth.ts",
    find: `if (key === "__proto__") return "has a __proto__ key";`,
    replace: "",
    isBySocket: true,
  },
  {
    name: "counts the levels of a binary frame wrong by one",
    file: "src/remote/codecs/msgpack.ts",
    find: "findMsgpackFault(data)",
    replace: "findMsgpackFault(data, depthMax + 1)",
    isBySocket: true,
  },
  {
    name: "takes a message after a gap",
    file: "machines/session/receiving.ts",
    find: "if (envelope.s !== recv + 1)",
    replace: "if (envelope.s < recv)",
  },
  {
    name: "lets a stranger say as much as a peer",
    file: "src/remote/door.ts",
    find: "pipe.limitFrames(handshakeFrameBytesMax);",
    replace: "",
    isBySocket: true,
  },
  {
    name: "asks nobody who they are",
    file: "machines/session/admission.ts",
    find: `rules.isToken(auth.token) ? admit(hello) : refuse(4401, "the token is not accepted")`,
    replace: "admit(hello)",
  },
  {
    name: "gives every breach the same wrong code",
    file: "machines/wire/read-frame.ts",
    find: "code: 4400, reason",
    replace: "code: 4500, reason",
    isBySocket: true,
  },
];

/** Faults that only real sockets can show. */
const ofSockets: readonly Fault[] = [
  {
    name: "goes on with a session whose WebSocket was broken",
    file: "src/remote/websocket-pipe.ts",
    find: "code.startsWith(breachPrefix) ?",
    replace: "false ?",
  },
  {
    name: "takes a frame in any number of pieces",
    file: "src/remote/websocket-transport.ts",
    find: "maxFragments: fragmentsMax,",
    replace: "",
  },
  {
    name: "says to one that speaks no codec in common that nothing is there",
    file: "src/remote/websocket-transport.ts",
    find: `if (codec === undefined) return refuseUpgrade(socket, "426 Upgrade Required");`,
    replace: `if (codec === undefined) return refuseUpgrade(socket, "404 Not Found");`,
  },
  {
    name: "hears a stranger's frame to its end, however large it says that it is",
    file: "src/remote/websocket-pipe.ts",
    find: `this.#net.on("data", watch);`,
    replace: "",
  },
  {
    name: "lets everybody at one address wait at the door",
    file: "src/remote/door.ts",
    find: "here >= strangersPerAddressMax",
    replace: "here < 0",
  },
];

/** Faults that the campaign over real sockets must find. */
export const socketFaults: readonly Fault[] = [...faults.filter(({ isBySocket }) => isBySocket), ...ofSockets];

interface Found {
  readonly findings: readonly string[];
}

/** Runs a short campaign against a node with a fault, in a process of its own. */
export async function findingsWith({ name, ...edit }: Fault): Promise<readonly string[]> {
  using house = new MutatedHouse({ name: "fuzz", edits: [edit] }, parts);
  const use = `({ runFuzz }) => runFuzz(${JSON.stringify({ frames, seed })})`;
  const { findings } = await house.evaluate<Found>("test/campaigns/fuzz-run.ts", use);
  if (findings.length === 0) throw new Error(`no finding with seed ${seed} in a node that ${name}`);
  return findings;
}

/** What a broken node never does is not waited for as long as what a busy machine may be slow at. */
const impatience = {
  file: "test/campaigns/fuzz-house.ts",
  find: `atOnceMs = ${atOnceMs / 1_000}_000;`,
  replace: "atOnceMs = 2_000;",
};

/** The same through real sockets. */
export async function socketFindingsWith({ name, ...edit }: Fault): Promise<readonly string[]> {
  using house = new MutatedHouse({ name: "fuzz-sockets", edits: [edit, impatience] }, parts);
  const options = JSON.stringify({ frames: socketFrames, seed, findingsMax: 1 });
  const { findings } = await house.evaluate<Found>(
    "test/campaigns/fuzz-sockets.ts",
    `({ runSockets }) => runSockets(${options})`,
  );
  if (findings.length === 0) throw new Error(`no finding with seed ${seed} by socket in a node that ${name}`);
  return findings;
}
