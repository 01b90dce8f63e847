import { enablePatches, produceWithPatches, type Patch } from "immer";
import type { Failure, Json } from "../../machines/failure.ts";
import { capabilityKey, type HandlerBehaviour } from "../agent/handler-behaviour.ts";
import { TroupeError } from "../errors.ts";
import type { Cell } from "../system/cell.ts";
import type { Core } from "../system/core.ts";
import type { AgentInfo } from "./info.ts";
import { infoOf } from "./info.ts";

enablePatches();

/** Definitions that may be declared at a time; one more is refused with `system/full`. */
export const definitionsMax = 1_000;

/** Starts one more agent of a group that is spawned on demand; undefined when it may not. */
export type Grow = () => Cell | undefined | Promise<Cell | undefined>;

/** All running agents of one definition. */
export class Group {
  readonly behaviour: HandlerBehaviour;
  readonly cells: Cell[] = [];
  turn = 0;
  /** Taken out of routing by `agents.unregister`; its agents run on. */
  withdrawn = false;
  grow: Grow | undefined;
  /** Calls that wait for an agent on its way, in the order in which they came: settles with the last of them. */
  line: Promise<unknown> = Promise.resolve();
  /** Why the last agent that was to be started on demand did not start; undefined since one did. */
  startFailure: Failure | undefined;
  /** Told when one of its agents has ended for good. */
  lost: (() => void) | undefined;
  /** Settles when one of those that are being started is up, or has failed to start; undefined while there is none. */
  starting: (() => Promise<unknown> | undefined) | undefined;

  constructor(behaviour: HandlerBehaviour) {
    this.behaviour = behaviour;
  }
}

/** What is declared: cold state, changed with immer so that every change is also a patch for the stream. */
interface Catalogue {
  readonly agents: {
    readonly [name: string]: { readonly capabilities: readonly string[]; readonly onDemand: boolean };
  };
}

/** Who offers what, right now. Finding an agent costs the same with ten agents and with a million. */
export class Registry {
  readonly #core: Core;
  readonly #groups = new Map<HandlerBehaviour, Group>();
  readonly #offers = new Map<string, Group[]>();
  /** Those in routing. */
  readonly #names = new Map<string, HandlerBehaviour>();
  #catalogue: Catalogue = { agents: {} };

  constructor(core: Core) {
    this.#core = core;
  }

  get catalogue(): Catalogue {
    return this.#catalogue;
  }

  /** The group of a definition; offers its capabilities unless they are offered already. */
  declare(behaviour: HandlerBehaviour): Group {
    const known = this.#groups.get(behaviour);
    if (known !== undefined && !known.withdrawn) return known;
    if (this.#names.size >= definitionsMax)
      throw new TroupeError(
        "system/full",
        `${definitionsMax} agent definitions are declared, the most there may be; unregister those that are done with`,
        { data: { definitionsMax } },
      );
    const group = known ?? new Group(behaviour);
    group.withdrawn = false;
    this.#groups.set(behaviour, group);
    this.#names.set(behaviour.name, behaviour);
    for (const capability of behaviour.skills.keys()) {
      const offers = this.#offers.get(capability);
      if (offers === undefined) this.#offers.set(capability, [group]);
      else offers.push(group);
    }
    this.#change((agents) => {
      agents[behaviour.name] = {
        capabilities: [...behaviour.skills.keys()],
        onDemand: behaviour.policy.onDemand !== undefined,
      };
    });
    return group;
  }

  /**
   * Takes a definition's capabilities out of routing; its agents run on, and are offered again with it. One without
   * agents is forgotten, at once or when its last agent has ended.
   */
  withdraw(behaviour: HandlerBehaviour): void {
    const group = this.#groups.get(behaviour);
    if (group === undefined || group.withdrawn) return;
    group.withdrawn = true;
    this.#names.delete(behaviour.name);
    this.#forgetIfDone(behaviour);
    for (const capability of behaviour.skills.keys()) {
      const left = (this.#offers.get(capability) ?? []).filter((offer) => offer !== group);
      if (left.length > 0) this.#offers.set(capability, left);
      else this.#offers.delete(capability);
    }
    this.#change((agents) => {
      delete agents[behaviour.name];
    });
  }

  /** One of its agents has ended for good. */
  lose(behaviour: HandlerBehaviour): void {
    this.#groups.get(behaviour)?.lost?.();
    this.#forgetIfDone(behaviour);
  }

  /** A pool stays: calls bring it back to life when it is registered again. */
  #forgetIfDone(behaviour: HandlerBehaviour): void {
    const group = this.#groups.get(behaviour);
    if (group?.withdrawn === true && behaviour.residents === 0 && group.grow === undefined)
      this.#groups.delete(behaviour);
  }

  #change(recipe: (agents: Record<string, { capabilities: string[]; onDemand: boolean }>) => void): void {
    const [next, patches] = produceWithPatches(this.#catalogue, (draft) => recipe(draft.agents as never));
    this.#catalogue = next;
    const { observe, clock } = this.#core.ports;
    if (observe.heard && patches.length > 0)
      observe.publish({
        type: "registry.changed",
        at: clock.now(),
        data: { patches: patches as unknown as readonly (Patch & Json)[] },
      });
  }

  list(cell: Cell): void {
    const cells = this.#groups.get(cell.behaviour as HandlerBehaviour)?.cells;
    if (cells === undefined || cell.slot >= 0) return;
    cell.slot = cells.length;
    cells.push(cell);
  }

  /** Takes an agent off the list; the last one moves into its place. */
  unlist(cell: Cell): void {
    const cells = this.#groups.get(cell.behaviour as HandlerBehaviour)?.cells;
    if (cells === undefined || cell.slot < 0) return;
    const last = cells.pop() as Cell;
    if (last !== cell) {
      cells[cell.slot] = last;
      last.slot = cell.slot;
    }
    cell.slot = -1;
  }

  offers(capability: string): readonly Group[] {
    return this.#offers.get(capability) ?? this.#offers.get(capabilityKey(capability)) ?? [];
  }

  capabilities(): readonly string[] {
    return [...this.#offers.keys()].sort();
  }

  /** The groups in routing. */
  *groups(): Iterable<Group> {
    for (const group of this.#groups.values()) if (!group.withdrawn) yield group;
  }

  behaviourNamed(name: string): HandlerBehaviour | undefined {
    return this.#names.get(name);
  }

  find(capability: string): readonly AgentInfo[] {
    return this.offers(capability).flatMap((group) => group.cells.map(infoOf));
  }
}
