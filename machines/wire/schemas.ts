import { z } from "zod";
import type { Json } from "../failure.ts";
import { envelopeKinds, type Envelope } from "./envelope.ts";
import type { Ack, Batch, Beat, Challenge, GoAway, Hello, Proof, Welcome, WireError } from "./frames.ts";
import {
  addressCharactersMax,
  batchEnvelopesMax,
  extraCharactersMax,
  extrasMax,
  frameBytesMax,
  grantsMax,
  hopsMax,
  traceStateCharactersMax,
  ttlMaxMs,
  typeCharactersMax,
  wireIdCharactersMax,
} from "./limits.ts";

const position = z.int().min(0);
const measure = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const id = z.string().min(1).max(wireIdCharactersMax);
const address = z.string().max(addressCharactersMax);
const extra = z.string().max(extraCharactersMax);

const kind = z.union([
  z.enum(envelopeKinds),
  z
    .string()
    .max(typeCharactersMax)
    .regex(/^x-/)
    .transform((text) => text as `x-${string}`),
]);

/** The envelope as a schema: the law that the hand-written guard is held to. */
export const envelopeSchema: z.ZodType<Envelope> = z.object({
  s: z.int().min(1),
  id,
  k: kind,
  f: address,
  to: address,
  ty: z.string().max(typeCharactersMax),
  p: z.custom<Json>(() => true).exactOptional(),
  re: id.exactOptional(),
  tp: z.string().length(55).exactOptional(),
  ts: z.string().max(traceStateCharactersMax).exactOptional(),
  ttl: z.int().min(0).max(ttlMaxMs).exactOptional(),
  hp: z.int().min(0).max(hopsMax).exactOptional(),
  x: z
    .record(extra, extra)
    .refine((headers) => Object.keys(headers).length <= extrasMax)
    .exactOptional(),
});

/** The frames that come often, as schemas. */
export const hotFrameSchema: z.ZodType<Batch | Ack | Beat> = z.discriminatedUnion("t", [
  z.object({ t: z.literal("M"), a: position, l: position, m: z.array(envelopeSchema).min(1).max(batchEnvelopesMax) }),
  z.object({ t: z.literal("A"), a: position, l: position }),
  z.object({ t: z.literal("I"), a: position, l: position, lag: measure, load: measure }),
]);

const wireLimits = z.object({
  frame: z
    .int()
    .min(frameBytesMax)
    .max(frameBytesMax * 64),
  msgs: z.int().min(1).max(1_048_576),
  bytes: z.int().min(512),
});
/** The name of a node, and of one start of it. */
export const nodeName = z
  .string()
  .min(1)
  .max(wireIdCharactersMax)
  .regex(/^[\w.:@-]+$/);
const hex = (bytes: number): z.ZodString =>
  z
    .string()
    .length(bytes * 2)
    .regex(/^[0-9a-f]*$/);
const nonce = hex(16);
const shortText = z.string().max(512);
const closeCode = z.int().min(1_000).max(4_999);

const credentials = z.discriminatedUnion("k", [
  z.object({ k: z.literal("none") }),
  z.object({ k: z.literal("token"), token: z.string().min(1).max(1_024) }),
  z.object({ k: z.literal("ed25519"), key: hex(32) }),
  z.object({ k: z.literal("mtls") }),
]);

export const helloSchema: z.ZodType<Hello> = z.object({
  t: z.literal("H"),
  v: z.array(z.int().min(1)).min(1).max(8),
  node: nodeName,
  inc: nodeName,
  nonce,
  codec: z.string().max(32),
  feat: z.array(z.string().max(32)).max(16),
  lim: wireLimits,
  auth: credentials,
  sess: z.object({ id, recv: position }).exactOptional(),
});

export const challengeSchema: z.ZodType<Challenge> = z.object({
  t: z.literal("C"),
  nonce,
  node: nodeName,
  inc: nodeName,
  key: hex(32),
});

export const proofSchema: z.ZodType<Proof> = z.object({ t: z.literal("P"), sig: hex(64) });

export const welcomeSchema: z.ZodType<Welcome> = z.object({
  t: z.literal("W"),
  v: z.literal(1),
  node: nodeName,
  inc: nodeName,
  sess: z.object({ id, resumed: z.boolean(), recv: position, ttl: z.int().min(0).max(ttlMaxMs) }),
  lim: wireLimits,
  grant: z.array(shortText).max(grantsMax),
  hb: z.int().min(1).max(ttlMaxMs),
  sig: hex(64).exactOptional(),
});

const goAwaySchema: z.ZodType<GoAway> = z.object({
  t: z.literal("G"),
  code: closeCode,
  retryAfterMs: z.int().min(0).max(ttlMaxMs).exactOptional(),
  redirect: shortText.exactOptional(),
});

const wireErrorSchema: z.ZodType<WireError> = z.object({
  t: z.literal("E"),
  code: closeCode,
  message: shortText,
  retryAfterMs: z.int().min(0).max(ttlMaxMs).exactOptional(),
  re: id.exactOptional(),
});

/** The schema of every frame that comes seldom, by its letter. */
export const coldSchemas: ReadonlyMap<
  string,
  z.ZodType<Hello | Challenge | Proof | Welcome | GoAway | WireError>
> = new Map<string, z.ZodType<Hello | Challenge | Proof | Welcome | GoAway | WireError>>([
  ["H", helloSchema],
  ["C", challengeSchema],
  ["P", proofSchema],
  ["W", welcomeSchema],
  ["G", goAwaySchema],
  ["E", wireErrorSchema],
]);
