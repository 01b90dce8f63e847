import type { Codec } from "../../../machines/wire/codec.ts";
import { TroupeError } from "../../errors.ts";
import { jsonCodec } from "./json.ts";

/** How the frames between two nodes may be written. */
export type CodecName = "json" | "msgpack";

async function loadMsgpack(): Promise<Codec> {
  const { msgpackCodec } = await import("./msgpack.ts");
  return msgpackCodec;
}

/** What a node takes where it listens. The binary codec is loaded here first: most programs talk to no other node. */
export async function acceptedCodecs(): Promise<readonly Codec[]> {
  try {
    return [jsonCodec, await loadMsgpack()];
  } catch {
    // Without the package a dialer that also takes JSON is answered in JSON.
    return [jsonCodec];
  }
}

/**
 * What a node offers where it dials, the best first. Errors: throws `usage/invalid-options`, `usage/missing-peer`.
 */
export async function offeredCodecs(name: CodecName = "json"): Promise<readonly [Codec, ...Codec[]]> {
  if (name === "json") return [jsonCodec];
  if (name !== "msgpack")
    throw new TroupeError("usage/invalid-options", `codec is ${JSON.stringify(name)}; it is "json" or "msgpack"`);
  try {
    return [await loadMsgpack(), jsonCodec];
  } catch (problem) {
    const message =
      'codec "msgpack" needs the package msgpackr, which cannot be loaded; install it, or leave codec out';
    throw new TroupeError("usage/missing-peer", message, { cause: problem });
  }
}
