import type { Codec, WireData } from "../../machines/wire/codec.ts";
import type { Frame } from "../../machines/wire/frames.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { batchOf, edgeFrame, tellOf, type Speaker } from "./fuzz-edges.ts";
import { helloOf, mutateBytes, mutateFrame, realFrame, type Dice } from "./fuzz-frames.ts";
import type { Oracle } from "./fuzz-oracle.ts";

export const fuzzCodecs: readonly Codec[] = [jsonCodec, msgpackCodec];

/** Frames of one visit, at most. */
export const visitFramesMax = 12;

/** A frame that was real once. */
function mutant({ codec, recv, dice }: Speaker): WireData {
  const real = realFrame(dice, recv);
  if (codec === jsonCodec) return mutateFrame(real, dice);
  if (dice.below(3) > 0) return mutateBytes(codec.write(real) as Uint8Array, dice);
  const text = mutateFrame(real, dice);
  try {
    return codec.write(JSON.parse(text) as Frame);
  } catch {
    return text;
  }
}

/** What a hostile client says next: now and then something honest, in its place. */
export function nextFrame(speaker: Speaker): WireData {
  const { codec, isWelcome, recv, dice } = speaker;
  if (isWelcome && dice.below(2) === 0) return codec.write(batchOf(tellOf(recv + 1)));
  return dice.below(6) === 0 ? edgeFrame(speaker) : mutant(speaker);
}

/** What it begins with: mostly a hello, under one of a few names. */
export function firstFrame(codec: Codec, dice: Dice): WireData {
  if (dice.below(3) === 0) return nextFrame({ codec, isWelcome: false, recv: 0, dice });
  return codec.write(helloOf({ node: `n${dice.below(50)}`, inc: `i${dice.below(3)}`, codec: codec.name }));
}

export function speakerOf(codec: Codec, oracle: Oracle, dice: Dice): Speaker {
  return { codec, isWelcome: oracle.isWelcome, recv: oracle.recv, dice };
}

/** A frame as a finding shows it. */
export function shortly(data: WireData): string {
  const text = typeof data === "string" ? JSON.stringify(data) : Buffer.from(data).toString("hex");
  return text.length <= 240 ? text : `${text.slice(0, 240)}... (${data.length})`;
}
