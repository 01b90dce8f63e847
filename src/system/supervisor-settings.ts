import type { BackoffPlan } from "../../machines/backoff.ts";
import { defaultIntensity, type Intensity } from "../../machines/supervision/restart-window.ts";
import type { AutoShutdown, Strategy } from "../../machines/supervision/strategy.ts";

/** How a supervisor treats its children. */
export interface SupervisorSettings {
  readonly strategy: Strategy;
  readonly intensity: Intensity;
  readonly backoff: BackoffPlan | undefined;
  readonly autoShutdown: AutoShutdown;
  /** Children of one kind, in no order of dependence, are stopped at once instead of from right to left. */
  readonly haltsTogether: boolean;
}

export const defaultSupervision: SupervisorSettings = {
  strategy: "one-for-one",
  intensity: defaultIntensity,
  backoff: undefined,
  autoShutdown: "never",
  haltsTogether: false,
};
