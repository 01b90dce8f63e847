/** Bounds of one session. */

/** Messages not yet acknowledged, each way; the sender waits at the limit. */
export const windowMessagesMax = 1_024;
/** Bytes sent and not yet acknowledged; the sender waits at the limit. */
export const windowBytesMax = 4_194_304;
/** Messages that a sender keeps, sent or not; a further call or tell is refused as full. */
export const outboxMessagesMax = 4_096;
/** Bytes that a sender keeps, sent or not; a further call or tell is refused as full. */
export const outboxBytesMax = 16_777_216;
/** Messages beyond the outbox's limits for answers and notices, which must not be refused; beyond it the session ends with 4430. */
export const outboxReserveMax = 16_384;
/** When a peer that read too slowly may begin another session. */
export const overflowRetryMs = 1_000;
/** Messages that one peer may send a second in the long run, unless the listener says otherwise; more cost it its connection, with 4429. */
export const messagesPerSecondMax = 1_000_000;
/** Bytes that one peer may send a second in the long run, unless the listener says otherwise; more cost it its connection, with 4429. */
export const bytesPerSecondMax = 1_073_741_824;
/** How long an acknowledgement waits for a message to travel with. */
export const ackDelayMs = 20;
/** Silence after which a side gives a sign of life. */
export const heartbeatMs = 5_000;
/** The shortest heartbeat; a peer that names a shorter one is given this one, so that it cannot ask for a flood. */
export const heartbeatMsMin = 100;
/** The longest heartbeat; of a peer that names a longer one no more patience than for this one is had. */
export const heartbeatMsMax = 60_000;
/** Heartbeats that may be missing before a connection counts as dead. */
export const heartbeatsMissedMax = 3;
/** How long a session without a connection is kept; then it ends and says what was out. */
export const sessionTtlMs = 60_000;
/** How long a connection may be missing before the peer is passed over. */
export const suspectAfterMs = 5_000;
/** The ceiling of the first wait before another dial; chance draws below it, also the first time. */
export const redialFirstMs = 250;
/** The highest ceiling of the wait before another dial. */
export const redialMaxMs = 30_000;
/** How long a connection must have held before the waits begin at the lowest again. */
export const healthyAfterMs = 10_000;
/** How often a link is sent on in a row before a session has held; further redirects are not followed. */
export const redirectsMax = 5;
/** Messages that wait when nothing more is gained by gathering: they go at once, so that both sides work side by side. */
export const gatheredMessagesMax = 32;
/**
 * How long a message waits before the time it has left is encoded anew: longer than the turn it was asked in, which would
 * encode every call of a busy turn twice, and no longer than a network takes.
 */
export const ttlSlackMs = 5;
/** Bytes that wait when they go at once. */
export const gatheredBytesMax = 16_384;
