import {
  admitCall,
  defaultBreakerLimits,
  recordResult,
  releaseProbe,
  wouldAdmit,
  type BreakerLimits,
  type BreakerState,
} from "../../machines/breaker/breaker.ts";
import type { CompiledSkill } from "../agent/handler-behaviour.ts";
import type { Cell } from "../system/cell.ts";
import type { Core } from "../system/core.ts";
import type { Delivery } from "../system/delivery.ts";
import { knownStats, statsOf } from "./stats.ts";

/**
 * The breaker of each agent and capability. Only calls count: a tell has no outcome to go by.
 * A probe that a call takes is always resolved: by its result, or by giving it back.
 */
export class Breakers {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Whether a call may go there now; takes nothing. */
  admits(cell: Cell, skill: CompiledSkill): boolean {
    const stats = knownStats(cell);
    if (stats === undefined || !stats.hasBreakers) return true;
    return wouldAdmit(stats.breaker(skill.name), this.#core.ports.clock.now(), limitsOf(skill));
  }

  /** A call is about to enter the agent's mailbox: while the breaker is half open it is a probe. */
  take(cell: Cell, delivery: Delivery): void {
    const stats = knownStats(cell);
    if (stats === undefined || !stats.hasBreakers) return;
    const skill = delivery.skill as CompiledSkill;
    const { state, admitted } = admitCall(stats.breaker(skill.name), this.#core.ports.clock.now(), limitsOf(skill));
    delivery.probing = admitted && state.name === "halfOpen";
    this.#set(cell, skill, state);
  }

  /** The call said nothing about the agent: a probe that it took goes back. */
  release(cell: Cell, delivery: Delivery): void {
    if (!delivery.probing) return;
    delivery.probing = false;
    const skill = delivery.skill as CompiledSkill;
    this.#set(cell, skill, releaseProbe(statsOf(cell).breaker(skill.name)));
  }

  /** The call worked, or it failed by the agent's doing. */
  record(cell: Cell, delivery: Delivery, worked: boolean): void {
    const skill = delivery.skill as CompiledSkill;
    if (skill.spec.breaker === false) return;
    const before = statsOf(cell).breaker(skill.name);
    // A late result of a call from before the breaker opened is no probe.
    if (before.name === "halfOpen" && !delivery.probing) return;
    delivery.probing = false;
    const when = { now: this.#core.ports.clock.now(), limits: limitsOf(skill) };
    this.#set(cell, skill, recordResult(before, worked, when));
  }

  #set(cell: Cell, skill: CompiledSkill, state: BreakerState): void {
    const stats = statsOf(cell);
    const { name } = stats.breaker(skill.name);
    stats.setBreaker(skill.name, state);
    if (name === state.name) return;
    this.#core.publish("breaker.changed", cell.path, { capability: skill.name, from: name, to: state.name });
  }
}

function limitsOf(skill: CompiledSkill): BreakerLimits {
  const declared = skill.spec.breaker;
  return declared === undefined || declared === false ? defaultBreakerLimits : { ...defaultBreakerLimits, ...declared };
}
