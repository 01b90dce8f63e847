import { failure, type Outcome } from "../../machines/failure.ts";
import { hierarchyParents, topologyLinks, type Member, type Topology } from "../../machines/swarm/topology.ts";
import type { CallOptions } from "../agent/context.ts";
import type { AgentDefinition } from "../agent/define.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { AgentRef } from "../dispatch/ref.ts";
import { selectors, strategies, type Strategy } from "../dispatch/selection.ts";
import { TroupeError } from "../errors.ts";
import type { Cell } from "../system/cell.ts";
import type { Core } from "../system/core.ts";
import type { Nursery } from "./nursery.ts";
import {
  checkWhole,
  refuseOption,
  type ChildDeclaration,
  type ChildOptions,
  type SupervisionOptions,
} from "./options.ts";

/** Most members of one swarm: a mesh has a link for every pair. */
export const swarmMembersMax = 1_000;

const topologies: readonly Topology[] = ["mesh", "hierarchical", "star", "ring"];

/** One kind of member of a swarm. */
export interface SwarmAgents extends ChildOptions {
  readonly agent: AgentDefinition;
  /** Default 1. */
  readonly count?: number;
  /** Level in a hierarchy, 0 at the top; default the place in the list. */
  readonly level?: number;
  readonly weight?: number;
}

/** What a swarm is made of. */
export interface SwarmOptions {
  /** mesh: any to any. hierarchical: up and down the levels. star: through the first member. ring: to the next. */
  readonly topology: Topology;
  readonly agents: readonly SwarmAgents[];
  /** Asking for more agents than this throws `usage/too-many-agents`. */
  readonly maxAgents?: number;
  /** How one of several able members is chosen; default "balanced". */
  readonly strategy?: Strategy;
  readonly name?: string;
  /** How the swarm's own supervisor, and that of each level, treats its children. */
  readonly supervision?: SupervisionOptions;
}

/** One agent of a swarm and its place in it. */
export interface SwarmMember extends Member {
  readonly ref: AgentRef;
  /** Members it may call. */
  readonly links: readonly number[];
  /** Index of the member above it in a hierarchy; -1 at the top and in every other topology. */
  readonly parent: number;
}

export interface SwarmCallOptions extends CallOptions {
  /** The member that calls: only members linked to it can be reached. Without it the call comes from outside. */
  readonly from?: AgentRef;
  /** The member that is meant; without it one is chosen that has the capability. */
  readonly to?: AgentRef;
}

/** Agents spawned together under one topology and one supervisor. */
export interface Swarm extends AsyncDisposable {
  readonly name: string;
  readonly topology: Topology;
  readonly members: readonly SwarmMember[];
  readonly agents: readonly AgentRef[];
  /**
   * Calls a member along the swarm's links. From outside, a hierarchy is entered at its highest level that has
   * the capability, a star at its hub where the hub has it, a ring and a mesh anywhere.
   * Errors: outcomes carry `swarm/not-linked` where the topology has no such link.
   */
  call(capability: string, input: unknown, options?: SwarmCallOptions): Promise<Outcome<unknown>>;
  /** Stops all members, in reverse of their start. */
  stop(): Promise<void>;
}

/** What a swarm needs of the troupe it lives in. */
export interface SwarmHost {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly nursery: Nursery;
}

/** The members of all swarms of one troupe, by their cells. */
export class SwarmRegistry {
  #unnamed = 0;
  readonly #places = new WeakMap<Cell, { readonly swarm: RunningSwarm; readonly index: number }>();

  join(cell: Cell, swarm: RunningSwarm, index: number): void {
    this.#places.set(cell, { swarm, index });
  }

  nextName(): string {
    this.#unnamed += 1;
    return `swarm-${this.#unnamed}`;
  }

  /** The peers a handler of this cell may call. */
  peersOf(cell: Cell): readonly Cell[] {
    const place = this.#places.get(cell);
    return place === undefined ? [] : place.swarm.peersOf(place.index);
  }
}

function checkSwarm(options: SwarmOptions): void {
  if (!topologies.includes(options.topology))
    refuseOption(`topology is "${options.topology}"; use one of ${topologies.join(", ")}`);
  if (options.strategy !== undefined && !strategies.includes(options.strategy))
    refuseOption(`strategy is "${options.strategy}"; use one of ${strategies.join(", ")}`);
  if (options.agents.length === 0) refuseOption("agents is empty; a swarm needs at least one agent");
  const max = options.maxAgents ?? swarmMembersMax;
  checkWhole("maxAgents", max, { low: 1, high: swarmMembersMax });
  let count = 0;
  for (const each of options.agents) {
    checkWhole("count", each.count, { low: 1, high: swarmMembersMax });
    checkWhole("level", each.level, { low: 0, high: 100 });
    count += each.count ?? 1;
  }
  if (count > max)
    throw new TroupeError(
      "usage/too-many-agents",
      `the swarm asks for ${count} agents and its maxAgents is ${max}; ask for fewer or raise maxAgents (at most ${swarmMembersMax})`,
    );
}

/** The level of each agent: as declared, else by place in the list; where all share one, the first is above the rest. */
function levelsOf(options: SwarmOptions): readonly number[] {
  const levels = options.agents.flatMap((each, place) =>
    Array.from({ length: each.count ?? 1 }, () => each.level ?? place),
  );
  return new Set(levels).size > 1 ? levels : levels.map((level, index) => (index === 0 ? level : level + 1));
}

/** Spawns a swarm: one supervisor, and nested ones for the levels of a hierarchy. */
export async function createSwarm(host: SwarmHost, registry: SwarmRegistry, options: SwarmOptions): Promise<Swarm> {
  checkSwarm(options);
  const name = options.name ?? registry.nextName();
  const { supervisor, cells } = await host.nursery.supervise({
    ...options.supervision,
    name,
    children: childrenOf(options),
  });
  const levels = levelsOf(options);
  const members = cells.map(({ cell, weight }, index) => ({
    cell,
    ref: host.nursery.refTo(cell, weight),
    index,
    level: levels[index] ?? 0,
  }));
  const stop = (): Promise<void> => host.nursery.stop(supervisor);
  const swarm = new RunningSwarm(host, {
    name,
    topology: options.topology,
    strategy: options.strategy ?? "balanced",
    members,
    stop,
  });
  for (const member of members) registry.join(member.cell, swarm, member.index);
  return swarm;
}

/** In a hierarchy each kind of agent has its own supervisor, so that a level's trouble stays in the level. */
function childrenOf(options: SwarmOptions): readonly ChildDeclaration[] {
  const seen = new Map<string, number>();
  return options.agents.map(({ level: _level, ...child }, place) => {
    const times = (seen.get(child.agent.name) ?? 0) + 1;
    seen.set(child.agent.name, times);
    const name = times === 1 ? child.agent.name : `${child.agent.name}.${times}`;
    if (options.topology !== "hierarchical") return { ...child, name };
    return {
      ...options.supervision,
      name: `level-${options.agents[place]?.level ?? place}-${name}`,
      children: [{ ...child, name }],
    };
  });
}

interface Placed extends Member {
  readonly cell: Cell;
  readonly ref: AgentRef;
}

class RunningSwarm implements Swarm {
  readonly name: string;
  readonly topology: Topology;
  readonly members: readonly SwarmMember[];
  readonly #host: SwarmHost;
  readonly #placed: readonly Placed[];
  readonly #strategy: Strategy;
  readonly #stop: () => Promise<void>;
  #turn = 0;

  constructor(
    host: SwarmHost,
    given: {
      name: string;
      topology: Topology;
      strategy: Strategy;
      members: readonly Placed[];
      stop: () => Promise<void>;
    },
  ) {
    this.#host = host;
    this.name = given.name;
    this.topology = given.topology;
    this.#strategy = given.strategy;
    this.#placed = given.members;
    this.#stop = given.stop;
    const links = topologyLinks(given.topology, given.members);
    const parents = given.topology === "hierarchical" ? hierarchyParents(given.members) : given.members.map(() => -1);
    this.members = given.members.map(({ ref, index, level }) => ({
      ref,
      index,
      level,
      links: links[index] ?? [],
      parent: parents[index] ?? -1,
    }));
  }

  get agents(): readonly AgentRef[] {
    return this.members.map((member) => member.ref);
  }

  /** The cells of the members that a member is linked to. */
  peersOf(index: number): readonly Cell[] {
    return (this.members[index]?.links ?? []).map((link) => (this.#placed[link] as Placed).cell);
  }

  call(capability: string, input: unknown, options: SwarmCallOptions = {}): Promise<Outcome<unknown>> {
    const { from, to, ...rest } = options;
    const reachable = this.#reachable(from);
    if (to !== undefined) {
      const target = reachable.find((placed) => placed.ref.path === to.path);
      return target === undefined ? this.#notLinked(from, to.path) : target.ref.call(capability, input, rest);
    }
    const able = this.#entrance(
      reachable.filter((placed) => this.#host.dispatcher.skillOf(placed.cell, capability) !== undefined),
      from,
    );
    if (able.length === 0)
      return from === undefined
        ? this.#nobody(capability)
        : this.#notLinked(from, `a member with capability "${capability}"`);
    const chosen = this.#choose(able, capability);
    return chosen === undefined ? this.#nobody(capability) : chosen.ref.call(capability, input, rest);
  }

  #reachable(from: AgentRef | undefined): readonly Placed[] {
    if (from === undefined) return this.#placed;
    const sender = this.members.find((member) => member.ref.path === from.path);
    return (sender?.links ?? []).map((index) => this.#placed[index] as Placed);
  }

  /** Where a call from outside comes in. */
  #entrance(able: readonly Placed[], from: AgentRef | undefined): readonly Placed[] {
    if (from !== undefined || able.length === 0) return able;
    if (this.topology === "star")
      return able.some((placed) => placed.index === 0) ? able.filter((placed) => placed.index === 0) : able;
    if (this.topology !== "hierarchical") return able;
    const top = Math.min(...able.map((placed) => placed.level));
    return able.filter((placed) => placed.level === top);
  }

  #choose(able: readonly Placed[], capability: string): Placed | undefined {
    const { dispatcher, core } = this.#host;
    const cells = able.map((placed) => placed.cell);
    const turn = this.#turn++;
    const cell = selectors[this.#strategy](cells, {
      turn,
      chance: () => core.ports.random.next(),
      usable: (each) => dispatcher.isAvailable(each, capability),
    });
    return able.find((placed) => placed.cell === cell);
  }

  #nobody(capability: string): Promise<Outcome<never>> {
    return Promise.resolve({ ok: false, failure: this.#host.dispatcher.nobody(capability) });
  }

  #notLinked(from: AgentRef | undefined, to: string): Promise<Outcome<never>> {
    const sender = from?.path ?? "outside";
    const message = `in the ${this.topology} swarm "${this.name}" there is no link from ${sender} to ${to}`;
    return Promise.resolve({
      ok: false,
      failure: failure("swarm/not-linked", message, { swarm: this.name, topology: this.topology, from: sender, to }),
    });
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }
}
