import type { Failure } from "../../machines/failure.ts";
import { namePattern } from "../agent/check.ts";
import type { AgentDefinition } from "../agent/define.ts";
import type { HandlerBehaviour } from "../agent/handler-behaviour.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { LocalRef, type AgentRef } from "../dispatch/ref.ts";
import { TroupeError } from "../errors.ts";
import { Cell } from "../system/cell.ts";
import type { Core } from "../system/core.ts";
import type { Child, ChildSpec, Started } from "../system/supervision.ts";
import { Supervisor } from "../system/supervisor.ts";
import { placeOf } from "./network/place.ts";
import { RemoteChild } from "./network/remote-child.ts";
import { SupervisedRef } from "./network/supervised-ref.ts";
import {
  checkWhole,
  refuseOption,
  toChildSpec,
  toSettings,
  type ChildDeclaration,
  type RemoteChildDeclaration,
  type SpawnOptions,
  type SupervisionTree,
} from "./options.ts";

/** Most agents one call of `spawn` starts. */
export const spawnCountMax = 10_000_000;
/** Spawns between two breaths of the event loop. */
const spawnsPerBreath = 10_000;
/** The whole tree under one top supervisor may be this deep. */
const treeDepthMax = 32;

/** What a tree is built into: its agents, in start order. */
interface Into {
  readonly cells: { cell: Cell; weight: number }[];
  readonly refs: AgentRef[];
  readonly onGone?: ((supervisor: Supervisor) => void) | undefined;
}

/** Where agents come into being: groups of one definition, declared trees, and what stops them again. */
export class Nursery {
  readonly #core: Core;
  readonly #dispatcher: Dispatcher;
  readonly #root: Supervisor;
  readonly #node: string;
  readonly #groups = new Map<HandlerBehaviour, { supervisor: Supervisor; next: number }>();

  constructor(core: Core, dispatcher: Dispatcher, place: { readonly root: Supervisor; readonly node: string }) {
    this.#core = core;
    this.#dispatcher = dispatcher;
    this.#root = place.root;
    this.#node = place.node;
  }

  refTo(cell: Cell, weight = 1): AgentRef {
    return new LocalRef(cell, this.#dispatcher, { node: this.#node, weight });
  }

  async spawn(definition: AgentDefinition, options: SpawnOptions): Promise<AgentRef[]> {
    const count = options.count ?? 1;
    checkWhole("count", count, { low: 1, high: spawnCountMax });
    checkWhole("weight", options.weight, { low: 1, high: 1_000_000_000 });
    this.#checkRoom(count);
    const behaviour = this.#dispatcher.declare(definition);
    const spec = toChildSpec(options);
    const group = this.#groupOf(behaviour, options);
    const refs: AgentRef[] = new Array<AgentRef>(count);
    const starting: Promise<Started>[] = [];
    for (let index = 0; index < count; index += 1) {
      const cell = new Cell(this.#core, group.supervisor, { name: String(group.next++), spec, behaviour });
      const started = group.supervisor.add(cell);
      refs[index] = this.refTo(cell, options.weight);
      if (started !== undefined) starting.push(Promise.resolve(started));
      if (started !== undefined && !(started instanceof Promise)) break;
      if (index % spawnsPerBreath === spawnsPerBreath - 1) await this.#breathe(count - index - 1, refs);
    }
    const failed = (await Promise.all(starting)).find((each) => each !== undefined);
    if (failed === undefined) return refs;
    await Promise.all(refs.map((ref) => ref.stop()));
    throw startError(failed);
  }

  /** Lets the event loop turn; whatever came meanwhile, there must still be room for what is left to spawn. */
  async #breathe(left: number, spawned: readonly AgentRef[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      this.#checkRoom(left);
    } catch (problem) {
      await Promise.all(spawned.map((ref) => ref.stop()));
      throw problem;
    }
  }

  /** One more agent of a definition, for a pool; why its start failed, or undefined where there is no room for it. */
  spawnOne(behaviour: HandlerBehaviour, spec: ChildSpec): Cell | Started | Promise<Cell | Started> {
    if (this.#core.residents >= this.#core.residentMax || !this.#hasPlaceFor(behaviour)) return undefined;
    const group = this.#groupOf(behaviour, {});
    const cell = new Cell(this.#core, group.supervisor, { name: String(group.next++), spec, behaviour });
    const started = group.supervisor.add(cell);
    return started instanceof Promise ? started.then((failed) => failed ?? cell) : (started ?? cell);
  }

  #checkRoom(count: number): void {
    if (this.#core.closed) throw new TroupeError("usage/closed", "this troupe is closed; create a new one");
    if (this.#root.ended)
      throw new TroupeError(
        "usage/closed",
        "this troupe gave up: a permanent tree at its top crashed more often than allowed, and all of it was stopped; create a new one",
      );
    const { residents, residentMax } = this.#core;
    if (residents + count <= residentMax) return;
    throw new TroupeError(
      "system/full",
      `${count} more agents would exceed the cap of ${residentMax} resident actors (${residents} live now); stop some, or raise limits.residentActors`,
      {
        data: { residents, residentMax, count },
      },
    );
  }

  /** A pool that finds its name taken by a tree cannot grow: its callers hear that nobody is there. */
  #hasPlaceFor({ name }: HandlerBehaviour): boolean {
    const present = this.#root.children.get(name);
    const isOurs = [...this.#groups.values()].some(({ supervisor }) => supervisor === present);
    if (present === undefined || isOurs) return true;
    this.#core.ports.log.write("warn", `the pool of "${name}" cannot grow: another supervisor has that name`);
    return false;
  }

  /** The supervisor of all agents spawned of one definition; a fresh one where the last gave up or was stopped. */
  #groupOf(behaviour: HandlerBehaviour, options: SpawnOptions): { supervisor: Supervisor; next: number } {
    const known = this.#groups.get(behaviour);
    const settings = toSettings(options);
    if (known !== undefined && !known.supervisor.ended) {
      if (options.intensity !== undefined || options.backoff !== undefined) {
        throw new TroupeError(
          "usage/invalid-options",
          `agents named "${behaviour.name}" are supervised already; intensity and backoff are fixed by the first spawn (use supervise() for another group)`,
        );
      }
      return known;
    }
    const supervisor = this.#adoptTop(
      behaviour.name,
      (name) =>
        new Supervisor(this.#core, this.#root, {
          name,
          settings: { ...settings, haltsTogether: true },
          onEmpty: () => this.release(behaviour),
        }),
    );
    const group = { supervisor, next: known?.next ?? 1 };
    this.#groups.set(behaviour, group);
    this.#root.add(supervisor) as undefined;
    return group;
  }

  /** Lets go of the supervisor of a definition that was unregistered and has no agent left. */
  release(behaviour: HandlerBehaviour): void {
    const supervisor = this.#groups.get(behaviour)?.supervisor;
    if (supervisor === undefined || supervisor.children.size > 0) return;
    if (this.#dispatcher.registry.behaviourNamed(behaviour.name) === behaviour) return;
    this.#groups.delete(behaviour);
    void this.#root.terminate(supervisor);
  }

  #adoptTop(name: string, make: (name: string) => Supervisor): Supervisor {
    if (this.#root.children.has(name))
      throw new TroupeError("usage/name-taken", `a supervisor named "${name}" is up already; choose another name`);
    return make(name);
  }

  /** Starts a declared tree; either all of it is up, or none. */
  async supervise(
    tree: SupervisionTree,
    onGone?: (supervisor: Supervisor) => void,
  ): Promise<Omit<Into, "onGone"> & { readonly supervisor: Supervisor }> {
    this.#checkRoom(countAgents(tree, 1));
    const [cells, refs]: [Into["cells"], Into["refs"]] = [[], []];
    const supervisor = this.#adoptTop(tree.name, () => this.#buildWhole(tree, { cells, refs, onGone }));
    const failed = await this.#root.add(supervisor);
    if (failed !== undefined) throw startError(failed);
    return { supervisor, cells, refs };
  }

  /** Stops a tree for good, in reverse of its start. */
  async stop(supervisor: Supervisor): Promise<void> {
    await this.#root.terminate(supervisor);
  }

  /** Builds a whole tree; one that cannot be built leaves nothing behind. */
  #buildWhole(tree: SupervisionTree, into: Into): Supervisor {
    try {
      return this.#build(tree, this.#root, into);
    } catch (thrown) {
      for (const { cell } of into.cells) cell.dispose();
      throw thrown;
    }
  }

  #build(tree: SupervisionTree, parent: Supervisor, into: Into): Supervisor {
    const { onGone } = into;
    checkPlaceName(tree.name);
    const supervisor: Supervisor = new Supervisor(this.#core, parent, {
      name: tree.name,
      spec: toChildSpec(tree, { restart: parent === this.#root ? "temporary" : "permanent" }),
      settings: toSettings(tree),
      ...(onGone === undefined ? {} : { onGone: () => onGone(supervisor) }),
    });
    for (const declaration of tree.children) {
      for (const child of this.#declare(declaration, supervisor, into)) {
        if (supervisor.children.has(child.name))
          throw new TroupeError(
            "usage/name-taken",
            `supervisor "${tree.name}" has two children named "${child.name}"; give one of them a name`,
          );
        supervisor.children.set(child.name, child);
      }
    }
    return supervisor;
  }

  *#declare(declaration: ChildDeclaration, parent: Supervisor, { cells, refs }: Into): Iterable<Child> {
    if ("children" in declaration) {
      yield this.#build(declaration, parent, { cells, refs });
      return;
    }
    if ("remote" in declaration) {
      yield this.#declareRemote(declaration, parent, refs);
      return;
    }
    const { agent, count = 1, weight = 1 } = declaration;
    checkWhole("count", count, { low: 1, high: spawnCountMax });
    checkWhole("weight", weight, { low: 1, high: 1_000_000_000 });
    const behaviour = this.#dispatcher.declare(agent);
    const spec = toChildSpec(declaration, { restart: "permanent" });
    const name = declaration.name ?? agent.name;
    checkPlaceName(name);
    for (let index = 1; index <= count; index += 1) {
      const cell = new Cell(this.#core, parent, { name: count === 1 ? name : `${name}-${index}`, spec, behaviour });
      cells.push({ cell, weight });
      refs.push(this.refTo(cell, weight));
      yield cell;
    }
  }

  #declareRemote(declaration: RemoteChildDeclaration, parent: Supervisor, refs: AgentRef[]): RemoteChild {
    const { remote: exposed, on, weight = 1 } = declaration;
    checkWhole("weight", weight, { low: 1, high: 1_000_000_000 });
    const [name = "", version] = typeof exposed === "string" ? exposed.split("@") : [];
    if (version === undefined || !Array.isArray(on) || on.length === 0)
      refuseOption(`a remote child is { remote: "worker@1", on: [peer, ...] }, with the exposed name and its peers`);
    checkPlaceName(declaration.name ?? name);
    const child = new RemoteChild(this.#core, parent, {
      name: declaration.name ?? name,
      exposed,
      spec: toChildSpec(declaration, { restart: "permanent" }),
      places: on.map(placeOf),
    });
    refs.push(new SupervisedRef(child, this.#core, weight));
    return child;
  }
}

/** A name is one part of a path, so that no two actors have the same. */
function checkPlaceName(name: unknown): void {
  if (typeof name !== "string" || !namePattern.test(name))
    throw new TroupeError(
      "usage/invalid-options",
      `${JSON.stringify(name)} is no name for a supervisor or its child; use 1 to 64 letters, digits, ".", "_" or "-"`,
    );
}

function startError(failed: Failure): TroupeError {
  return new TroupeError("agent/start-failed", failed.message, { data: failed.data });
}

function countAgents(tree: SupervisionTree, depth: number): number {
  const given: unknown = tree.children;
  if (!Array.isArray(given))
    throw new TroupeError(
      "usage/invalid-options",
      `the supervision tree ${JSON.stringify(tree.name)} has no list of children`,
    );
  if (depth > treeDepthMax)
    throw new TroupeError("usage/invalid-options", `the supervision tree is more than ${treeDepthMax} levels deep`);
  return tree.children.reduce((sum, child) => {
    if ("remote" in child) return sum;
    return sum + ("children" in child ? countAgents(child, depth + 1) : (child.count ?? 1));
  }, 0);
}
