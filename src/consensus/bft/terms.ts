import { bindingShare } from "../../../machines/consensus/ballot/count.ts";
import { totalWeightOf, type Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import { boundsOf, twoThirds, type Bounds } from "../../../machines/consensus/electorate/threshold.ts";
import { TroupeError } from "../../errors.ts";
import type { DecideRequest } from "../plan.ts";
import { readMaxFaultyWeight, type ProposalRules } from "../policy.ts";

/** What the agreement itself stands: its quorum is more than two thirds of the weight, whatever an option needs. */
export function agreementBoundsOf(electorate: Electorate): Bounds {
  return boundsOf(twoThirds, totalWeightOf(electorate.members));
}

/**
 * Refuses what mode bft cannot keep. Errors: throws `usage/invalid-electorate` (`data.reason` VETO_VOTER for a member
 * that alone stops every quorum) or `usage/invalid-policy`.
 */
export function checkAgreement(request: DecideRequest, electorate: Electorate): void {
  const { fLive, W } = agreementBoundsOf(electorate);
  const vetoer = electorate.members.find(({ weight }) => weight > fLive);
  if (vetoer !== undefined) {
    throw new TroupeError(
      "usage/invalid-electorate",
      `mode bft: "${vetoer.id}" with weight ${vetoer.weight} of ${W} could stop every agreement alone; at most ${fLive} is allowed here, and four voters are needed at least. Add voters, lower its weight (capWeights), or use mode ballot`,
      { data: { reason: "VETO_VOTER" } },
    );
  }
  const remote = request.voters.find((voter) => "vote" in voter && voter.replica === undefined);
  if (remote !== undefined)
    throw new TroupeError(
      "usage/invalid-electorate",
      `mode bft: "${remote.member.id}" is behind messages that carry ballots only, and its replica has to run where its key is; make it with voterAt or joinAsParticipant, or use mode ballot`,
    );
  if (request.secrecy !== undefined && request.secrecy !== "open")
    throw new TroupeError(
      "usage/invalid-policy",
      `secrecy: "${request.secrecy}" needs a coordinator; in mode bft members show each other their ballots, so leave it out or choose "open", or use mode ballot`,
      { data: { field: "secrecy" } },
    );
  if (request.onAlternatives === "next-round")
    throw new TroupeError(
      "usage/invalid-policy",
      'onAlternatives: "next-round" is for mode ballot; in mode bft alternatives are reported, and a further decision can ask for them',
      { data: { field: "onAlternatives" } },
    );
}

/** Checks the claim about faults against the agreement and against what the option needs. */
export function readAgreementClaim(request: DecideRequest, rules: ProposalRules, electorate: Electorate): number {
  const agreement = agreementBoundsOf(electorate);
  const ballots = boundsOf(bindingShare(rules), totalWeightOf(electorate.members));
  const most = Math.max(0, Math.min(agreement.fSafe, agreement.fLive, ballots.fLive));
  const claim = request.maxFaultyWeight ?? most;
  if (claim > most)
    throw new TroupeError(
      "usage/invalid-policy",
      `maxFaultyWeight: ${claim} is more than this electorate stands in mode bft: F_safe = ${agreement.fSafe}, F_live = ${agreement.fLive}. Claim at most ${most}, or add voters`,
      { data: { field: "maxFaultyWeight" } },
    );
  return readMaxFaultyWeight(
    { maxFaultyWeight: Math.min(claim, most) },
    { ...rules, threshold: twoThirds },
    electorate,
  );
}
