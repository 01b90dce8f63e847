import { canonicalize } from "../../../machines/consensus/codec/canonical-json.ts";
import type { Parsed } from "../../../machines/consensus/electorate/threshold.ts";
import { createStamp } from "../../../machines/stamp.ts";
import { TroupeError } from "../../errors.ts";
import { sha256 } from "../ed25519.ts";
import type { Concern, Opinion } from "./opinion.ts";

/** What travels beside a ballot, bound by its `reasoningDigest` and `alternativesDigest`. */
export interface Report {
  readonly recommendation: string;
  readonly reasoning: string;
  readonly concerns: readonly Concern[];
  readonly alternatives: Opinion["alternatives"];
}

/** The digests of a report, as a ballot carries them. */
export interface ReportBinding {
  readonly reasoningDigest: string;
  /** Absent where no alternative is proposed. */
  readonly alternativesDigest?: string;
}

function digestValue(value: unknown): Parsed<string> {
  const canonical = canonicalize(value);
  if (canonical.ok) return { ok: true, value: sha256(canonical.text) };
  return { ok: false, problem: `${canonical.fault.path}: ${canonical.fault.problem}` };
}

/** Digest of a value that a signed body names but does not carry. Errors: throws `usage/invalid-options` naming `what`. */
export function bindingDigest(what: string, value: unknown): string {
  const digest = digestValue(value);
  if (digest.ok) return digest.value;
  throw new TroupeError("usage/invalid-options", `${what}${digest.problem}`);
}

/** The digests that bind a report, or why its text cannot be bound. */
export function bindReport({ recommendation, reasoning, concerns, alternatives }: Report): Parsed<ReportBinding> {
  // In the order of the canonical form, which then has nothing to sort.
  const text = digestValue({ concerns, reasoning, recommendation });
  if (!text.ok) return text;
  if (alternatives.length === 0) return { ok: true, value: { reasoningDigest: text.value } };
  const others = digestValue(alternatives);
  if (!others.ok) return { ok: false, problem: `/alternatives${others.problem}` };
  return { ok: true, value: { reasoningDigest: text.value, alternativesDigest: others.value } };
}

const bindings = createStamp<ReportBinding>();

/** Notes the digests of a report that was checked and bound in this process, and freezes it. */
export function rememberBinding(report: Report, binding: ReportBinding): void {
  Object.freeze(bindings.put(report, binding));
}

/** The digests of a report that was bound in this process; undefined for everything else, copies included. */
export function knownBinding(report: unknown): ReportBinding | undefined {
  return typeof report === "object" && report !== null ? bindings.of(report) : undefined;
}
