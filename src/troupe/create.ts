import type { CallOptions, StreamOptions } from "../agent/context.ts";
import type { AgentDefinition } from "../agent/define.ts";
import type { Decision, Execution } from "../consensus/decision.ts";
import type { Voter } from "../consensus/voter.ts";
import { openStream, type CallStream } from "../agent/call-stream.ts";
import { Dispatcher } from "../dispatch/dispatcher.ts";
import { infoOf } from "../dispatch/info.ts";
import type { AgentRef } from "../dispatch/ref.ts";
import { statsOf } from "../dispatch/stats.ts";
import { routeByContent } from "../dispatch/stages.ts";
import { TroupeError } from "../errors.ts";
import { systemIds, systemRandom } from "../ports/chance.ts";
import { systemClock } from "../ports/clock.ts";
import type { OpenInspector } from "../ports/inspection.ts";
import { silentLog } from "../ports/log.ts";
import { Observe } from "../ports/observe.ts";
import type { Store } from "../ports/store.ts";
import { openStore } from "../store/open.ts";
import { Stream } from "../stream/stream.ts";
import { Core } from "../system/core.ts";
import { Supervisor } from "../system/supervisor.ts";
import type { Emitted, EmitOptions } from "../workflow/desk/event-desk.ts";
import type { RunHandle } from "../workflow/run-handle.ts";
import type { RunOptions } from "../workflow/run-options.ts";
import type { Tasks } from "../workflow/tasks.ts";
import { Workflows, type Runs, type WorkflowCatalogue } from "../workflow/workflows.ts";
import {
  checkTroupeOptions,
  type LinkOptions,
  type SpawnOptions,
  type SupervisionTree,
  type TroupeOptions,
} from "./options.ts";
import { Nursery } from "./nursery.ts";
import type { JoinOptions, Membership } from "./network/membership.ts";
import type { Network } from "./network/network.ts";
import type { ConnectOptions, Listener, ListenOptions, RemotePeer } from "./network/doors.ts";
import type { Group } from "../dispatch/registry.ts";
import { Pool } from "./pool.ts";
import { Electors, type DecideOptions, type VoterOptions } from "./decide.ts";
import { createSwarm, SwarmRegistry, type Swarm, type SwarmOptions } from "./swarm.ts";
import { cellAt, remoteChildren, walkActors } from "./tree.ts";
import type { Agents, CapabilitiesOfAll, SupervisorRef, Troupe, TroupeMetrics, TroupeView } from "./troupe.ts";

/** Everything a troupe is made of, for the rooms of this floor. */
export interface Parts {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly nursery: Nursery;
  readonly root: Supervisor;
  readonly stream: Stream;
  readonly store: Store;
  readonly node: string;
  readonly swarms: SwarmRegistry;
  readonly workflows: Workflows;
  readonly inspector: OpenInspector | undefined;
  readonly links: LinkOptions;
}

/** A supervision tree as its maker holds it. */
class TreeRef implements SupervisorRef {
  readonly path: string;
  readonly agents: readonly AgentRef[];
  readonly stop: () => Promise<void>;
  readonly #supervisor: Supervisor;

  constructor(nursery: Nursery, tree: { readonly supervisor: Supervisor; readonly refs: readonly AgentRef[] }) {
    this.#supervisor = tree.supervisor;
    this.path = tree.supervisor.path;
    this.agents = tree.refs;
    this.stop = () => nursery.stop(tree.supervisor);
  }

  get state(): string {
    return this.#supervisor.state;
  }
}

class RunningTroupe implements Troupe {
  readonly #parts: Parts;
  readonly agents: Agents;
  readonly view: TroupeView;
  readonly #electors: Electors;
  #network: Promise<Network> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.agents = agentsOf(parts);
    this.#electors = new Electors(parts);
    this.view = viewOf(parts, {
      agents: () => this.agents.list(),
      actors: () => this.actors(),
      metrics: () => this.metrics(),
    });
  }

  get node(): string {
    return this.#parts.node;
  }
  get store(): Store {
    return this.#parts.store;
  }
  get workflows(): WorkflowCatalogue {
    return this.#parts.workflows.catalogue;
  }
  get runs(): Runs {
    return this.#parts.workflows.runs;
  }
  get tasks(): Tasks {
    return this.#parts.workflows.tasks;
  }
  get inspector(): Troupe["inspector"] {
    return this.#parts.inspector;
  }

  spawn(definition: AgentDefinition, options: SpawnOptions = {}): Promise<never> {
    return this.#parts.nursery.spawn(definition, options) as Promise<never>;
  }

  async supervise(tree: SupervisionTree): Promise<SupervisorRef> {
    const { nursery } = this.#parts;
    return new TreeRef(nursery, await nursery.supervise(tree));
  }

  swarm(options: SwarmOptions): Promise<Swarm> {
    return createSwarm(this.#parts, this.#parts.swarms, options);
  }

  call(capability: string, input: unknown, options?: CallOptions): Promise<never> {
    return this.#parts.dispatcher.send({ capability, input, options }) as Promise<never>;
  }

  stream(capability: string, input: unknown, options: StreamOptions = {}): CallStream<never, never> {
    return openStream(options, (given) => this.#parts.dispatcher.send({ capability, input, ...given }));
  }

  run(definition: unknown, input?: unknown, options?: RunOptions): Promise<RunHandle> {
    return this.#parts.workflows.run(definition, input, options);
  }

  emit(event: string, payload?: unknown, options?: EmitOptions): Promise<Emitted> {
    return this.#parts.workflows.emit(event, payload ?? null, options);
  }

  voter(ref: AgentRef, options?: VoterOptions): Voter {
    return this.#electors.voter(ref, options);
  }

  decide(options: DecideOptions): Promise<Decision> {
    return this.#electors.decide(options);
  }

  execute(decisionId: string): Promise<Execution | undefined> {
    return this.#electors.execute(decisionId);
  }

  async listen(options: ListenOptions): Promise<Listener> {
    return (await this.#reach()).listen(options);
  }

  async connect(url: string, options: ConnectOptions = {}): Promise<RemotePeer> {
    return (await this.#reach()).connect(url, options);
  }

  async join(options: JoinOptions): Promise<Membership> {
    return (await this.#reach()).join(options);
  }

  /** The network; its code is not even loaded by a troupe that stays by itself. */
  #reach(): Promise<Network> {
    return (this.#network ??= import("./network/network.ts").then((room) => new room.Network(this.#parts)));
  }

  events(filter = {}): ReturnType<Stream["subscribe"]> {
    return this.#parts.stream.subscribe(filter);
  }

  actors(): ReturnType<Troupe["actors"]> {
    return [...walkActors(this.#parts.root)];
  }

  metrics(): TroupeMetrics {
    const { core, dispatcher } = this.#parts;
    const agents = [...dispatcher.registry.groups()].reduce((sum, group) => sum + group.cells.length, 0);
    return { residentActors: core.residents, calls: dispatcher.calls, agents, deadLetters: core.deadLetters.counts() };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { core, root, stream, store, workflows, inspector } = this.#parts;
    // Told to stop while their sessions are there, so that none of them counts as lost.
    for (const child of remoteChildren(root)) void child.parent.terminate(child);
    await (await this.#network)?.close();
    await workflows.beginClose();
    core.close();
    await root.halt("end");
    root.dispose();
    for (const call of core.deadlines.close()) call.close();
    await workflows.close();
    await inspector?.close();
    stream.close();
    await store[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Finds the ref of a running agent by its path. */
function refAt({ root, nursery }: Parts, path: string): AgentRef {
  const cell = cellAt(root, path);
  if (cell === undefined)
    throw new TroupeError("usage/unknown-agent", `no agent runs at "${path}"; see actors() for the paths there are`);
  return nursery.refTo(cell);
}

function viewOf(parts: Parts, queries: TroupeView["queries"]): TroupeView {
  return {
    events: (filter) => parts.stream.subscribe(filter),
    queries,
    commands: {
      pause: (path) => refAt(parts, path).pause(),
      resume: (path) => refAt(parts, path).resume(),
      stop: (path) => refAt(parts, path).stop(),
      kill: (path, reason) => refAt(parts, path).kill(reason),
    },
  };
}

function agentsOf(parts: Parts): Agents {
  const { dispatcher, nursery } = parts;
  const { registry } = dispatcher;
  return {
    register(definition) {
      const group = registry.declare(dispatcher.declare(definition));
      if (definition.policy.onDemand !== undefined && group.grow === undefined) void fillPool(parts, group);
      for (const cell of group.cells) statsOf(cell).withdrawn = false;
    },
    unregister(pathOrName) {
      for (const group of registry.groups()) {
        if (group.behaviour.name === pathOrName) {
          registry.withdraw(group.behaviour);
          return nursery.release(group.behaviour);
        }
        const cell = group.cells.find((each) => each.path === pathOrName);
        if (cell === undefined) continue;
        statsOf(cell).withdrawn = true;
        return;
      }
      const known = [...registry.groups()].map((group) => group.behaviour.name);
      throw new TroupeError(
        "usage/unknown-agent",
        `no agent has the path or name "${pathOrName}"; known names: ${known.join(", ") || "none"}`,
      );
    },
    list: () => [...registry.groups()].flatMap((group) => group.cells.map(infoOf)),
    find: (capability) => registry.find(capability),
  };
}

/**
 * Starts a troupe.
 * Shape: resolves with a running `Troupe` whose `call` is typed by the agents given here.
 * Errors: throws `usage/invalid-options` and `usage/invalid-definition`.
 * @example
 * ```ts
 * import { createTroupe, defineAgent } from "troupe";
 * import { z } from "zod";
 * const greeter = defineAgent({
 *   name: "greeter",
 *   capabilities: { greet: { input: z.string(), output: z.string(), run: ({ input }) => `Hello, ${input}` } },
 * });
 * await using troupe = await createTroupe({ agents: [greeter] });
 * await troupe.spawn(greeter, { count: 2, restart: "permanent" });
 * const outcome = await troupe.call("greet", "world");
 * console.log(outcome.ok ? outcome.value : outcome.failure.message);
 * ```
 */
export async function createTroupe<const Definitions extends readonly AgentDefinition[] = readonly []>(
  options: TroupeOptions<Definitions> = {},
): Promise<Troupe<CapabilitiesOfAll<Definitions>>> {
  checkTroupeOptions(options);
  const inspector = await openInspector(options);
  try {
    return await startTroupe(options, inspector);
  } catch (problem) {
    await inspector?.close();
    throw problem;
  }
}

async function startTroupe<const Definitions extends readonly AgentDefinition[]>(
  options: TroupeOptions<Definitions>,
  inspector: OpenInspector | undefined,
): Promise<Troupe<CapabilitiesOfAll<Definitions>>> {
  const parts = await assemble(options, inspector);
  const troupe = new RunningTroupe(parts);
  try {
    const failed = await parts.root.begin();
    if (failed !== undefined) throw new TroupeError("agent/start-failed", failed.message, { data: failed.data });
    for (const definition of options.agents ?? []) await declareAgent(parts, definition);
    await parts.workflows.open();
    return troupe;
  } catch (problem) {
    // What was started before the problem is stopped in good order.
    await troupe.close();
    throw problem;
  }
}

async function declareAgent(parts: Parts, definition: AgentDefinition): Promise<void> {
  const group = parts.dispatcher.registry.declare(parts.dispatcher.declare(definition));
  if (definition.policy.onDemand !== undefined) await fillPool(parts, group);
}

/** Makes the pool of a definition, and brings it up to its minimum. */
async function fillPool({ core, nursery }: Parts, group: Group): Promise<void> {
  if (await new Pool(core, nursery, group).fill()) return;
  core.ports.log.write(
    "error",
    `the pool of "${group.behaviour.name}" is below its minimum: an agent could not start; calls try again`,
  );
}

/** Opens the inspector where one is asked for; its code is not even loaded otherwise. */
async function openInspector({ inspect, ports }: TroupeOptions): Promise<OpenInspector | undefined> {
  if (inspect === undefined || inspect === false) return undefined;
  const room = await import("../inspect/inspector.ts");
  return room.openInspector(inspect === true ? {} : inspect, ports?.log ?? silentLog);
}

async function assemble(options: TroupeOptions, inspector: OpenInspector | undefined): Promise<Parts> {
  const ports = {
    clock: systemClock,
    random: systemRandom,
    ids: systemIds,
    log: silentLog,
    ...options.ports,
    observe: new Observe(),
  };
  const core = new Core(ports, options.limits?.residentActors);
  const { enrich = [], map = [] } = options.stages ?? {};
  const dispatcher = new Dispatcher(core, {
    strategy: options.strategy ?? "balanced",
    stages: { enrich, route: options.routes === undefined ? [] : [routeByContent(options.routes)], map },
    ...(options.idempotencyRetentionMs === undefined ? {} : { retentionMs: options.idempotencyRetentionMs }),
  });
  const root = new Supervisor(
    core,
    { clock: ports.clock, ...(inspector === undefined ? {} : { inspect: inspector.sink }) },
    { name: "troupe" },
  );
  const swarms = new SwarmRegistry();
  dispatcher.peers = (cell) => swarms.peersOf(cell);
  const node = options.node ?? "local";
  const { durability } = options;
  const store = await openStore(options.store, {
    clock: ports.clock,
    ...(durability === undefined ? {} : { durability }),
  });
  const stream = new Stream(ports.observe);
  return {
    core,
    dispatcher,
    root,
    node,
    store,
    stream,
    workflows: new Workflows(
      { core, dispatcher, store, root, follow: (runId) => stream.subscribe({ runId }) },
      options.workflows,
    ),
    nursery: new Nursery(core, dispatcher, { root, node }),
    swarms,
    inspector,
    links: options.links ?? {},
  };
}
