import type { Ids } from "../ports/chance.ts";

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** All zeros names no trace. */
const noTrace = "0".repeat(32);

/** A W3C `traceparent` for a new span: in the trace of `parent` where it is valid, else in a fresh one. Source: W3C Trace Context. */
export function joinTrace(parent: string | undefined, ids: Ids): string {
  const match = parent === undefined ? null : pattern.exec(parent);
  const known = match?.[1];
  const trace = known === undefined || known === noTrace ? ids.hex(16) : known;
  return `00-${trace}-${ids.hex(8)}-${match?.[3] ?? "01"}`;
}
