import type { RunEffect } from "../../../machines/workflow/effects.ts";

/** FNV-1a over UTF-16 units, 32 bits. Source: Fowler, Noll and Vo. */
function mix(hash: number, text: string): number {
  let mixed = hash;
  for (let at = 0; at < text.length; at += 1) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  return mixed;
}

/** What names an effect within its run: its kind, and the id that was derived from the step. */
export function nameEffect(effect: RunEffect): string {
  switch (effect.type) {
    case "scheduleTask":
    case "cancelTask":
      return effect.taskId;
    case "startTimer":
    case "cancelTimer":
      return effect.timerId;
    case "startChild":
    case "cancelChild":
      return effect.childId;
    case "listen":
    case "unlisten":
      return effect.listenId;
    case "emitEvent":
      return effect.emitId;
    case "emit":
      return effect.fact.type;
    case "fail":
      return effect.failure.code;
    case "refuseSignal":
      return effect.name;
    case "parkCompensation":
      return effect.taskId;
    case "complete":
    case "cancelled":
      return "";
  }
}

/**
 * What a fold produced at one fact, as a signed 32-bit number that is stored with the fact. A later fold of the same
 * journal, by whatever compiler, must produce the same: if it does not, the run is blocked instead of guessed.
 */
export function fingerprint(effects: readonly RunEffect[]): number {
  let hash = 0x811c9dc5;
  for (const effect of effects) {
    if (effect.type === "emit") continue;
    hash = mix(mix(hash, effect.type), nameEffect(effect));
  }
  return hash | 0;
}
