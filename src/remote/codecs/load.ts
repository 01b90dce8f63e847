import type { Codec } from "../../../machines/wire/codec.ts";
import { TroupeError } from "../../errors.ts";
import { jsonCodec } from "./json.ts";

/** How the frames between two nodes may be written. */
export type CodecName = "json" | "msgpack";

async function loadMsgpack(): Promise<Codec> {
  const { msgpackCodec } = await import("./msgpack.ts");
  return msgpackCodec;
}

async function needMsgpack(name: CodecName): Promise<Codec> {
  if (name !== "msgpack")
    throw new TroupeError("usage/invalid-options", `codec is ${JSON.stringify(name)}; it is "json" or "msgpack"`);
  try {
    return await loadMsgpack();
  } catch (problem) {
    const message = 'codec "msgpack" needs the package msgpackr, which cannot be loaded; run `npm i msgpackr`';
    throw new TroupeError("usage/missing-peer", message, { data: { package: "msgpackr" }, cause: problem });
  }
}

/**
 * What a node takes where it listens: JSON always, and the binary codec unless it is told to take JSON only; where
 * nothing is said, if its package is installed. Errors: throws `usage/invalid-options`, `usage/missing-peer`.
 */
export async function acceptedCodecs(name?: CodecName): Promise<readonly Codec[]> {
  if (name === "json") return [jsonCodec];
  if (name !== undefined) return [jsonCodec, await needMsgpack(name)];
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
  return name === "json" ? [jsonCodec] : [await needMsgpack(name), jsonCodec];
}
