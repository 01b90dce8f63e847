import { formatShare, quorumOf, twoThirds } from "../../machines/consensus/electorate/threshold.ts";
import type { Bloc } from "../../machines/consensus/electorate/analysis.ts";
import type { CollectState } from "../../machines/consensus/ballot/collect.ts";
import { bindingShare, isComparing } from "../../machines/consensus/ballot/count.ts";
import type { Round } from "../../machines/consensus/ballot/round.ts";
import type { Absence, Warning } from "./decision.ts";
import { analyzePanel } from "./electorate.ts";

function listBlocs(blocs: readonly Bloc[]): string {
  return blocs.map(({ name, weight }) => `${name} (${weight})`).join(", ");
}

/** What is weak in the electorate and its threshold, whatever the ballots say. */
export function warnOfElectorate(round: Round): Warning[] {
  const { method, participation } = round.proposal;
  const threshold = bindingShare(round.proposal);
  const analysis = analyzePanel(round.electorate, threshold);
  const { W, q, fSafe, fLive, deciders, vetoers, groupsOverCap, hostsOverCap } = analysis;
  const warnings: Warning[] = [];
  const warn = (code: Warning["code"], message: string): void => void warnings.push({ code, message });
  if (deciders.length > 0) warn("decider", `${deciders.join(", ")} alone can reach the quorum of ${q}.`);
  if (vetoers.length > 0) {
    warn(
      "vetoer",
      `Without ${vetoers.length === 1 ? "this voter" : "any one of these voters"} there is no quorum of ${q} out of ${W}: ${vetoers.join(", ")}.`,
    );
  }
  if (groupsOverCap.length > 0)
    warn("group-over-cap", `One group holds a third of the weight or more: ${listBlocs(groupsOverCap)}.`);
  if (hostsOverCap.length > 0)
    warn("host-over-cap", `One host holds more than F_live = ${fLive}: ${listBlocs(hostsOverCap)}.`);
  const isDefault = formatShare(round.proposal.threshold) === formatShare(twoThirds);
  if (isComparing(method) && !isDefault) {
    warn(
      "threshold-unused",
      `The method ${method} compares options and asks none for a share of support, so the threshold is not applied; participation is.`,
    );
  }
  if (threshold.of === "cast") {
    const least = quorumOf(threshold, quorumOf(participation, W));
    warn(
      "threshold-of-cast",
      `The threshold counts cast weight: as little as ${least} of ${W} may decide, less whatever of it is faulty.`,
    );
  }
  if (fSafe < 0 && !isComparing(method))
    warn(
      "two-may-pass",
      `With a quorum of ${q} out of ${W} two options can pass at once; the ranking decides between them.`,
    );
  return warnings;
}

/** Weight seen to be faulty: void, failed, refused or silent. Members that were not needed are not. */
export function faultyWeightOf(state: CollectState, absent: readonly Absence[]): number {
  const missing = absent.filter(({ reason }) => reason !== "not-needed").reduce((sum, { weight }) => sum + weight, 0);
  return missing + (state.tally?.voided ?? 0);
}

/** Whether the faults that were seen are more than the bounds allow. */
export function warnOfFaults(state: CollectState, faulty: number): Warning[] {
  if (state.tally === null) return [];
  const { W, q, fLive, fSafe, voided, status } = state.tally;
  const warnings: Warning[] = [];
  if (faulty > fLive) {
    const end =
      status === "decided"
        ? "the outcome rests on cast weight alone"
        : "the honest rest cannot be sure to reach the quorum, so nothing was decided rather than something wrong";
    warnings.push({
      code: "beyond-f-live",
      message: `Faulty weight ${faulty} of ${W} is beyond F_live = ${fLive} (quorum ${q}): ${end}.`,
    });
  }
  if (voided > Math.max(0, fSafe)) {
    warnings.push({
      code: "beyond-f-safe",
      message: `Weight ${voided} signed two different ballots, beyond F_safe = ${fSafe}: with them a conflicting quorum could be made up. The evidence names them.`,
    });
  }
  return warnings;
}
