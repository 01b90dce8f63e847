import type { BftEffect, BftEffectName } from "../../../machines/consensus/bft/effects.ts";
import type { BftEvent } from "../../../machines/consensus/bft/events.ts";
import { bftMachine } from "../../../machines/consensus/bft/machine.ts";
import { outsider, type BftState } from "../../../machines/consensus/bft/state.ts";
import { step } from "../../../machines/consensus/bft/step.ts";
import { keepingEffects, type Charted } from "../../system/charted.ts";

const effects = {
  castVote: true,
  propose: true,
  sendStatus: true,
  resend: true,
  setTimer: true,
  requestValue: true,
  fetchValue: true,
  decide: true,
  answerLaggard: true,
  reportEvidence: true,
} as const satisfies Record<BftEffectName, true>;

/** One member of the agreement, core and chart. Its first event is `council.joined`. */
export const agreeing: Charted<BftState, BftEvent, BftEffect> = {
  initial: outsider,
  step,
  chart: keepingEffects(bftMachine, Object.keys(effects)),
};
