import type { Outcome } from "../../machines/failure.ts";
import type { CallOptions, StreamOptions } from "../agent/context.ts";
import type { Decision, Execution } from "../consensus/decision.ts";
import type { Voter } from "../consensus/voter.ts";
import type { AgentDefinition, Capabilities, CapabilitiesOf } from "../agent/define.ts";
import type { AgentInfo } from "../dispatch/info.ts";
import type { CallStream } from "../agent/call-stream.ts";
import type { AgentRef, InputOf, ItemOf } from "../dispatch/ref.ts";
import type { Inspector } from "../ports/inspection.ts";
import type { Store } from "../ports/store.ts";
import type { EventFilter } from "../stream/filter.ts";
import type { AgentCommands, View } from "../ports/view.ts";
import type { StreamEvent, Subscription } from "../stream/stream.ts";
import type { DeadLetterReason } from "../system/dead-letters.ts";
import type { Emitted, EmitOptions } from "../workflow/desk/event-desk.ts";
import type { RunHandle } from "../workflow/run-handle.ts";
import type { RunOptions } from "../workflow/run-options.ts";
import type { Tasks } from "../workflow/tasks.ts";
import type { Runs, WorkflowCatalogue } from "../workflow/workflows.ts";
import type { JoinOptions, Membership } from "./network/membership.ts";
import type { ConnectOptions, Listener, ListenOptions, RemotePeer } from "./network/doors.ts";
import type { DecideOptions, VoterOptions } from "./decide.ts";
import type { SpawnOptions, SupervisionTree } from "./options.ts";
import type { Swarm, SwarmOptions } from "./swarm.ts";
import type { ActorRecord } from "./tree.ts";

type UnionToIntersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** All capabilities of a list of definitions; any name where the list is empty or not known. */
export type CapabilitiesOfAll<Definitions extends readonly AgentDefinition[]> = Definitions extends readonly []
  ? Capabilities
  : AgentDefinition extends Definitions[number]
    ? Capabilities
    : UnionToIntersection<CapabilitiesOf<Definitions[number]>> extends infer All extends Capabilities
      ? All
      : Capabilities;

/** A running supervision tree. */
export interface SupervisorRef {
  readonly path: string;
  /** The state of its chart. */
  readonly state: string;
  /** Every agent below it, in start order. */
  readonly agents: readonly AgentRef[];
  /** Stops the whole tree, in reverse of its start. */
  stop(): Promise<void>;
}

/** Agents by name, path and capability, at run time. */
export interface Agents {
  /** Declares a definition: its agents join routing, those that were taken out and those that start later. */
  register(definition: AgentDefinition): void;
  /**
   * Takes one agent (by path) or all agents of a definition (by name) out of routing; they run on. Of a definition that
   * has no agent any more nothing is kept, so a program that makes definitions as it goes unregisters those it is done
   * with: at most 1,000 are declared at a time.
   */
  unregister(pathOrName: string): void;
  list(): readonly AgentInfo[];
  find(capability: string): readonly AgentInfo[];
}

export interface TroupeMetrics {
  readonly residentActors: number;
  readonly calls: number;
  readonly agents: number;
  readonly deadLetters: { readonly [reason in DeadLetterReason]?: number };
}

/** The one port of everything that only shows: the feed, the questions and the commands of this troupe. */
export type TroupeView = View<
  StreamEvent,
  EventFilter,
  { agents(): readonly AgentInfo[]; actors(): readonly ActorRecord[]; metrics(): TroupeMetrics },
  AgentCommands
>;

/**
 * A running troupe: agents under supervision, calls by capability, decisions, and one stream of events.
 * Made by `createTroupe`; `await using` or `close()` ends it.
 */
export interface Troupe<Caps extends Capabilities = Capabilities> extends AsyncDisposable {
  readonly node: string;
  readonly agents: Agents;
  readonly store: Store;
  /** Definitions of durable workflows, by key and version. */
  readonly workflows: WorkflowCatalogue;
  /** Runs of workflows, those of earlier processes included. */
  readonly runs: Runs;
  /** Tasks of runs, for those who do them outside of this troupe. */
  readonly tasks: Tasks;
  readonly view: TroupeView;
  /** Where this troupe can be watched; undefined unless it was created with `inspect`. */
  readonly inspector: Inspector | undefined;
  /**
   * Starts agents and resolves with a ref for each once they are ready.
   * Errors: throws `agent/start-failed` when one cannot start (then none stays), `system/full` beyond the cap on resident actors.
   */
  spawn<Own extends Capabilities>(definition: AgentDefinition<Own>, options?: SpawnOptions): Promise<AgentRef<Own>[]>;
  /** Starts a declared supervision tree; either all of it is up, or none. */
  supervise(tree: SupervisionTree): Promise<SupervisorRef>;
  /**
   * Spawns agents under one topology: mesh, hierarchical, star or ring.
   * Errors: throws `usage/too-many-agents` beyond `maxAgents`.
   */
  swarm(options: SwarmOptions): Promise<Swarm>;
  /**
   * Sends one request to an agent with this capability and resolves with its outcome; never rejects for a failure
   * of the world. Units: `timeoutMs` in milliseconds, 1 to 3,600,000, default 30,000.
   * Errors: throws `usage/invalid-options`; outcomes carry `call/*`, `agent/*` and `dispatch/*` codes.
   */
  call<Name extends keyof Caps & string>(
    capability: Name,
    input: InputOf<Caps, Name>,
    options?: CallOptions,
  ): Promise<Outcome<Caps[Name]["output"]>>;
  /**
   * Begins a stream of an agent with this capability: its items as they come, and its outcome. The agent waits while 32
   * items are ahead of the reader; leaving the loop cancels the call. Units: as for `call`; `timeoutMs` is for all of it.
   * Errors: throws `usage/invalid-options`; reading throws a `TroupeError` with the code of the outcome where it fails.
   */
  stream<Name extends keyof Caps & string>(
    capability: Name,
    input: InputOf<Caps, Name>,
    options?: StreamOptions,
  ): CallStream<ItemOf<Caps, Name>, Caps[Name]["output"]>;
  /**
   * Begins a durable run of a definition, in any of its forms, or of a registered key; resolves once the run is in
   * the store. With a store file an unfinished run goes on by itself when a troupe opens that file again.
   * Shape: a handle; `(await handle.result())` is the outcome. Units: `deadlineMs` in milliseconds.
   * Errors: throws `usage/invalid-definition`, `usage/unknown-workflow`, `usage/version-taken`, `usage/invalid-options`.
   */
  run(definition: unknown, input?: unknown, options?: RunOptions): Promise<RunHandle>;
  /**
   * Sends an event: wakes every run that waits for it and starts the workflows that it triggers, once per event id.
   * Errors: throws `usage/invalid-options`.
   */
  emit(event: string, payload?: unknown, options?: EmitOptions): Promise<Emitted>;
  /**
   * Puts one question to voters and resolves with what their signed ballots decide. A split vote is a result.
   * Voters are agents that offer `decision.opinion`, or voters with keys of their own.
   * Errors: throws `usage/invalid-electorate`, `usage/invalid-policy`, `usage/invalid-options` before anybody is asked.
   */
  decide(options: DecideOptions): Promise<Decision>;
  /**
   * Carries out what was decided under this id on this store, where a crash came between: once, whoever tries.
   * Shape: what it ended with; undefined where nothing was decided or the option has no payload.
   * Errors: throws `usage/invalid-options` for an id that the store does not hold, `usage/unknown-workflow`.
   */
  execute(decisionId: string): Promise<Execution | undefined>;
  /** An agent as a voter, with its key: for decisions that mix voters of several kinds. */
  voter(ref: AgentRef, options?: VoterOptions): Voter;
  /**
   * Lets other nodes reach the agents of this troupe by WebSocket. Without `auth` on loopback only.
   * Errors: throws `usage/invalid-options`.
   */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * Joins another node: its capabilities take calls that nobody here can, and its agents have refs.
   * Units: `timeoutMs` in milliseconds. Errors: throws `remote/unreachable`, `usage/invalid-options`.
   */
  connect(url: string, options?: ConnectOptions): Promise<RemotePeer>;
  /**
   * Connects to the nodes that a discovery lists, and stays so: new ones are dialled, lost ones dialled again, those
   * no longer listed are left. Resolves when each has been tried once. Units: milliseconds.
   * Errors: throws `remote/unreachable` where there is no list, `usage/invalid-options`.
   */
  join(options: JoinOptions): Promise<Membership>;
  /** Everything that happens from now on, in one order. Leave the loop to unsubscribe. */
  events(filter?: EventFilter): Subscription;
  /** Every running actor, parents before children. */
  actors(): readonly ActorRecord[];
  metrics(): TroupeMetrics;
  /** Stops everything in reverse of its start, answers what still waits, and ends the stream. */
  close(): Promise<void>;
}
