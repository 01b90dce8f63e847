import type { Round } from "../../../machines/consensus/ballot/round.ts";
import type { SignedProposal } from "../../../machines/consensus/codec/messages.ts";
import { assembleRound } from "../assemble.ts";
import type { Decision, LocalStatus, TalliedRound, Warning } from "../decision.ts";
import type { Agreement } from "./agree.ts";
import { agreementBoundsOf } from "./terms.ts";

interface Held {
  readonly round: Round;
  readonly proposal: SignedProposal;
  readonly maxFaultyWeight: number;
  readonly ms: number;
}

/** The bounds told are those of the agreement: its quorum, not the option's, keeps the outcome unique. */
function withAgreement(
  told: TalliedRound,
  agreement: Agreement,
  round: Round,
): Omit<TalliedRound, "status" | "option"> {
  const { status: _status, option: _option, assumptions, ...rest } = told;
  const { q, fSafe, fLive } = agreementBoundsOf(round.electorate);
  const conflict: Warning[] =
    agreement.status === "conflict"
      ? [
          {
            code: "disagreement",
            message: `Members hold certificates of different outcomes, so faulty weight is beyond F_safe = ${fSafe}; the evidence names who made that possible.`,
          },
        ]
      : [];
  const warnings = [...assumptions.warnings, ...conflict];
  return { ...rest, evidence: agreement.evidence, assumptions: { ...assumptions, q, fSafe, fLive, warnings } };
}

/** Builds the decision of mode bft: from the certified value, or from what one member saw where nothing is certified. */
export function assembleAgreement(agreement: Agreement, held: Held): Decision {
  const { round, proposal, maxFaultyWeight, ms } = held;
  const { state, deliveries, hasExpired, certificate } = agreement;
  // The proposal is signed by whoever asks; everything else by the members.
  const metrics = { ...agreement.metrics, signs: agreement.metrics.signs + 1 };
  const collector = { state, deliveries, metrics, closing: null, hasExpired };
  const told = assembleRound({ round, proposal, collector, maxFaultyWeight, ms });
  const common = withAgreement(told, agreement, round);
  if (agreement.status !== "agreed" || certificate === null) {
    const isShort = agreement.status === "no-quorum";
    const status: LocalStatus = agreement.status === "conflict" ? "conflict" : "timeout";
    return { ...common, status: isShort ? "no-quorum" : status, option: null, certificate: null };
  }
  const { status, option } = certificate.value;
  if (status === "decided" && option !== null) return { ...common, status, option, certificate };
  if (status === "decided") throw new Error("a decided value always names an option");
  return { ...common, status, option: null, certificate };
}
