import { createTroupe } from "../../troupe/create.ts";
import type { CodecName } from "../../remote/codecs/load.ts";
import type { DialProof } from "../peer-auth.ts";
import { farewellMs } from "../peers/patience.ts";
import type { DoctorCheck } from "./checks.ts";

/** How long a node may take to let this one in and to say what it offers, unless the user says otherwise. */
export const reachTimeoutMs = 5_000;

/** What to do about a refusal, by what it says; what says that itself is not here. */
const advice: readonly (readonly [sign: RegExp, todo: string])[] = [
  [/\(4401\).*(certificate|trusted)/s, "check the certificates on both sides, and that they name their nodes"],
  [/\(4401\)/, "give --auth (and --name) as the node was told to ask for it"],
  [/\(4403\)/, "give an address that the node was told is its own"],
  [/\(4406\).*version/s, "install the same version of troupe on both sides"],
  [/too many (handshakes|connections|sessions)|draining/, "the node takes nobody just now; try again later"],
  [/no answer within/, "check the address, and what is between the two machines"],
];

/** Who wished for a codec hears whether it is spoken; the default one needs no words. */
function tellCodec(wished: CodecName | undefined, spoken: CodecName): string {
  if (wished === undefined) return "";
  return wished === spoken ? `, in ${spoken}` : `, in ${spoken}: ${wished} is not taken there`;
}

interface Reaching extends DialProof {
  readonly codec?: CodecName;
  /** Of this node. */
  readonly name?: string | undefined;
  readonly timeoutMs: number;
}

/** Whether a node can be reached and lets this one in. */
export function reach(url: string, { name, ...how }: Reaching, signal: AbortSignal): DoctorCheck {
  return {
    name: url,
    async run() {
      await using troupe = await createTroupe(name === undefined ? {} : { node: name });
      const from = performance.now();
      try {
        const peer = await troupe.connect(url, { ...how, farewellMs, once: true, signal });
        const tookMs = Math.ceil(performance.now() - from);
        const offered = `${peer.capabilities.length} capabilities${tellCodec(how.codec, peer.codec)}`;
        return {
          ok: true,
          isOptional: false,
          message: `node ${peer.node} lets this one in (${tookMs} ms), ${offered}`,
        };
      } catch (problem) {
        // Who interrupted wants no answer any more.
        if (signal.aborted) throw problem;
        const message = problem instanceof Error ? problem.message : String(problem);
        const [, todo] = advice.find(([sign]) => sign.test(message)) ?? [undefined, undefined];
        return { ok: false, isOptional: false, message: todo === undefined ? message : `${message}: ${todo}` };
      }
    },
  };
}
