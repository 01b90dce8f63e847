import type { AnyStateMachine } from "xstate";
import { agentChart } from "./agent/machine.ts";
import { breakerChart } from "./breaker/machine.ts";
import { callChart } from "./call/machine.ts";
import type { Chart } from "./chart.ts";
import { ballotMachine } from "./consensus/ballot/machine.ts";
import { bftMachine } from "./consensus/bft/machine.ts";
import { linkChart } from "./session/machine.ts";
import { supervisorChart } from "./supervision/machine.ts";

/** One chart of the catalogue: its name, one sentence, and the XState machine to draw or run. */
export interface CatalogueEntry {
  readonly name: string;
  readonly summary: string;
  readonly machine: AnyStateMachine;
}

function entry(chart: Chart<never>): CatalogueEntry {
  return { name: chart.config.id, summary: chart.config.description, machine: chart.machine() };
}

/**
 * Every state machine that Troupe runs on, as XState machines.
 * Shape: JSON-safe configs; each state and event has a description. `docs/machines.md` is generated from it.
 * @example
 * ```ts
 * import { catalogue } from "troupe/machines";
 * for (const { name, machine } of catalogue) console.log(name, Object.keys(machine.config.states ?? {}));
 * ```
 */
export const catalogue: readonly CatalogueEntry[] = [
  ...[agentChart, supervisorChart, callChart, breakerChart, linkChart].map((chart) =>
    entry(chart as unknown as Chart<never>),
  ),
  {
    name: "ballot",
    summary: "Collects signed ballots on one proposal and closes the round: decided, or undecided with the reason.",
    machine: ballotMachine,
  },
  { name: "bft", summary: bftMachine.config.description ?? "", machine: bftMachine },
];
