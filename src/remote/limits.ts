import { frameBytesMax } from "../../machines/wire/limits.ts";

/** Bounds of the runtime around a session. */

/** One message, encoded; a larger one is refused as `remote/unsendable` before it is sent. */
export const messageBytesMax = frameBytesMax - 1_024;

/** How long a handshake may take; then the connection is closed with 4408. */
export const handshakeTimeoutMs = 5_000;
/** Largest frame before the peer is authenticated; a larger one ends the connection with 4413. */
export const handshakeFrameBytesMax = 4_096;
/**
 * When one that is too many may come again: those before it take milliseconds, and one that says nothing goes after
 * `handshakeTimeoutMs`.
 */
export const crowdRetryMs = 1_000;
/** Connections that have not said who they are, in total; a further one is refused with 4429. */
export const strangersMax = 256;
/** Connections from one address that have not said who they are; a further one is refused with 4429. */
export const strangersPerAddressMax = 32;
/** Handshakes of one address per second in the long run; more are refused with 4429. */
export const handshakesPerSecondMax = 100;
/** Handshakes of one address at once. */
export const handshakeBurstMax = 200;
/** Addresses whose handshakes are counted; the one counted longest ago goes first. */
export const countedAddressesMax = 4_096;
/** Sessions that one node accepts; a further one is refused with 4429. */
export const sessionsMax = 16_384;
/** Calls that one session may have open each way; a further one is answered `call/busy`. */
export const openCallsMax = 16_384;
/** Monitors that one session may hold; a further one is told at once that it was refused. */
export const monitorsMax = 10_000;
/** Deaths told in one message. */
export const deathsPerMessageMax = 256;
/** Agents that one peer may have spawned here and not stopped; a further spawn is refused. */
export const spawnedMax = 64;
/** Peers of a draining node that are told to come again within the same second. */
export const returnsPerSecondMax = 100;
/** Agents that one peer may spawn per second in the long run. */
export const spawnsPerSecondMax = 10;
/** How long an orderly end waits for the peer to acknowledge what was sent. */
export const farewellMs = 5_000;
/** How late a timer may be before this side counts as having stood still. */
export const lateSlackMs = 50;
