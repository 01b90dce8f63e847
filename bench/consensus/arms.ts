import type { ArmTable, Scale } from "../measuring/arm.ts";
import { admissionArm, armOf, simulatorArm, sittings } from "./scales.ts";

/** Decisions of a large panel take seconds each, and several go before. */
const decisionsLimitMs = 120_000;

/** One process per mode and size of panel, one for ballots from elsewhere and one for the simulator. */
export const consensusArms: ArmTable = Object.fromEntries([
  ...sittings.map((sitting) => [
    armOf(sitting),
    {
      limitMs: decisionsLimitMs,
      load: async () => {
        const { measureDecisionsOf } = await import("./decision-arm.ts");
        return (scale: Scale) => measureDecisionsOf(sitting, scale);
      },
    },
  ]),
  [admissionArm, { load: async () => (await import("./admission-arm.ts")).measureAdmission }],
  [simulatorArm, { load: async () => (await import("./simulator-arm.ts")).measureSchedules }],
]);
