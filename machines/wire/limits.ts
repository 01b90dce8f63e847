/** Bounds of the wire protocol `troupe.v1`. What breaks one ends the connection with the close code named here. */

/** Largest frame of an authenticated peer; a larger one is refused with 4413. */
export const frameBytesMax = 1_048_576;
/** Nesting of a frame, its own objects included; a deeper one is refused with 4400. */
export const depthMax = 64;
/** Frames longer than this are scanned for depth before they are parsed: a parser swallows 500,000 levels and blocks for it. */
export const unscannedCharactersMax = 20_480;
/** Messages in one frame; more go into the next one. */
export const batchEnvelopesMax = 128;
/** Size at which a batch is closed and the next begins: larger ones cost more than they save. */
export const batchBytesMax = 16_384;
/** A message larger than this travels in a frame of its own, so that heartbeats pass between. */
export const loneEnvelopeBytesMin = 4_096;
/** Characters of an address; a longer one is refused with 4400. */
export const addressCharactersMax = 256;
/** Characters of the name of a message's type; a longer one is refused with 4400. */
export const typeCharactersMax = 128;
/** Characters of an identifier on the wire; a longer one is refused with 4400. */
export const wireIdCharactersMax = 128;
/** Nodes that a message may pass on its way; a loop of forwarders ends there. */
export const hopsMax = 16;
/** The longest time to live a message may carry: one hour. */
export const ttlMaxMs = 3_600_000;
/** Extra headers of one message; more are refused with 4400. */
export const extrasMax = 16;
/** Characters of one extra header, its name and its value each. */
export const extraCharactersMax = 512;
/** Characters of a W3C tracestate (its specification asks for at least 512). */
export const traceStateCharactersMax = 512;
/** Grants that one peer is given; a longer list is refused with 4400. */
export const grantsMax = 64;
