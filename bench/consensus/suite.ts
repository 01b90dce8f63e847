import { measuredSuite } from "../measuring/measured-suite.ts";
import type { Results } from "../measuring/rounds.ts";
import type { Row, Target } from "../suite.ts";
import { consensusArms } from "./arms.ts";
import { admissionArm, armOf, schedulesMin, simulatorArm, sittings } from "./scales.ts";

const repeats = { quick: 3, full: 5 };
const regionMs = { quick: 600, full: 2_000 };

const method = `Whole decisions. Mode ballot: the question is planned and signed, every voter's opinion is read, bound and signed as
a ballot, each ballot is checked, the round is collected by the chart, tallied, closed with a signature and told. All voters
and the coordinator share one core, and keys are Ed25519 of node:crypto.

- The limit is what the signatures alone would allow: n + 2 signatures (each ballot, the proposal, the closing) and n
  checks. The counts are asserted in the signer and the verifier, so a redundant check would fail the run.
- Efficiency is the cost of these signatures and checks over all CPU time of the process, collector and compiler threads
  included. The cost of one signature and one check is measured in the same process, with as many keys as there are
  voters, in turn with the decisions.
- Mode bft: every voter has a replica, all of them on one core too, and each checks every signature of the others itself.
  The limit is 3n + 2 signatures and (n - 1)(3n + 1) checks, asserted likewise.
- A ballot from elsewhere goes through the whole acceptance table. A forged one, which only the check of its signature
  finds, costs one check as well (row 10 of docs/faults.md).
- The simulator runs schedules in the order of their seeds and checks every property after every step, as a campaign does.
  Signatures are symbolic there, so its figure is the speed of the protocol's core and of the checks. Beside it stands how
  many Ed25519 checks the same process does in a second: on the machine of the target there were 4.46 to a schedule, which
  is a ratio of 0.224, and a slower machine is slower in both.`;

function admissionRows(results: Results): Row[] {
  const [good, forged] = ["good", "forged"].map((reading) => results.median({ arm: admissionArm, reading }));
  const ratio = results.ratio({ arm: admissionArm, reading: "forged" }, { arm: admissionArm, reading: "good" });
  return [
    { name: "good ballots from elsewhere, admitted", value: good?.value ?? null, unit: "ballots/s" },
    {
      name: "forged ballots from elsewhere, refused",
      value: forged?.value ?? null,
      unit: "ballots/s",
      versus: [{ name: "good ones", ratio: ratio?.value ?? null }],
    },
  ];
}

function rowsOf(results: Results): Row[] {
  const schedules = results.median({ arm: simulatorArm, reading: "schedules" });
  const checks = results.ratio({ arm: simulatorArm, reading: "schedules" }, { arm: simulatorArm, reading: "checks" });
  const simulator: Row = {
    name: "simulator, schedules per CPU-second",
    value: schedules?.value ?? null,
    unit: "schedules/s",
    ...(schedules?.wall === undefined ? {} : { wall: schedules.wall }),
    versus: [{ name: "signature checks", ratio: checks?.value ?? null }],
  };
  const decisions = sittings.flatMap((sitting): Row[] => {
    const arm = armOf(sitting);
    const decisions = results.median({ arm, reading: "decisions" });
    const limit = results.median({ arm, reading: "limit" });
    const ratio = results.ratio({ arm, reading: "decisions" }, { arm, reading: "limit" });
    return [
      {
        name: arm,
        value: decisions?.value ?? null,
        unit: "decisions/s",
        ...(decisions?.wall === undefined ? {} : { wall: decisions.wall }),
        versus: [{ name: "signatures alone", ratio: ratio?.value ?? null }],
      },
      { name: `signatures alone, ${arm}`, value: limit?.value ?? null, unit: "decisions/s" },
    ];
  });
  return [...decisions, ...admissionRows(results), simulator];
}

function targetsOf(results: Results): Target[] {
  const schedules = results.median({ arm: simulatorArm, reading: "schedules" })?.value ?? null;
  const problem = results.problemOf(simulatorArm);
  const simulator: Target = {
    name: "simulator, schedules per CPU-second",
    value: schedules,
    target: `>= ${schedulesMin}`,
    met: schedules !== null && schedules >= schedulesMin,
    ...(problem === undefined ? {} : { reason: problem }),
  };
  const efficiencies = sittings.map((sitting): Target => {
    const { mode, voters, efficiency } = sitting;
    const arm = armOf(sitting);
    const value = results.median({ arm, reading: "efficiency" })?.value ?? null;
    const reason = results.problemOf(arm);
    return {
      name: `efficiency of mode ${mode}, ${voters} voters`,
      value,
      target: `>= ${efficiency}`,
      met: value !== null && value >= efficiency,
      ...(reason === undefined ? {} : { reason }),
    };
  });
  return [...efficiencies, simulator];
}

/** Decisions of both modes against what their signatures alone would allow. */
export const consensusSuite = measuredSuite({
  name: "consensus",
  hasPeers: false,
  method,
  arms: consensusArms,
  repeats,
  regionMs,
  rowsOf,
  targetsOf,
});
