/** Sizes of the panels that are measured, and the least efficiency that was promised for each. */
export const panels = [
  { voters: 4, efficiency: 0.75 },
  { voters: 16, efficiency: 0.85 },
  { voters: 64, efficiency: 0.85 },
] as const;

/** Both ways to agree on a result. */
export const modes = ["ballot", "bft"] as const;
export type Mode = (typeof modes)[number];

/** Every panel in every mode. */
export const sittings = modes.flatMap((mode) => panels.map((panel) => ({ mode, ...panel })));

/** What a panel's arm is called. */
export function armOf({ mode, voters }: { readonly mode: Mode; readonly voters: number }): string {
  return `${mode}, ${voters} voters`;
}

/** What the arm of ballots from elsewhere is called. */
export const admissionArm = "ballots from elsewhere";
/** What the simulator's arm is called. */
export const simulatorArm = "simulator of mode bft";
/** Schedules per second of CPU time that were promised. */
export const schedulesMin = 2_000;
