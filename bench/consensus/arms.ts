import type { ArmTable } from "../measuring/arm.ts";
import { armOf, sittings } from "./scales.ts";

/** One process per mode and size of panel. */
export const consensusArms: ArmTable = Object.fromEntries(
  sittings.map((sitting) => [
    armOf(sitting),
    {
      load: async () => {
        const { measureDecisionsOf } = await import("./decision-arm.ts");
        return (scale) => measureDecisionsOf(sitting, scale);
      },
    },
  ]),
);
