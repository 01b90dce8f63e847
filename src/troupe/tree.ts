import type { Cell } from "../system/cell.ts";
import type { Supervisor } from "../system/supervisor.ts";
import type { RunActor } from "../workflow/run/run-actor.ts";
import type { RemoteChild } from "./network/remote-child.ts";

/** What every actor registers: who it is, what it is, under whom, and which chart it runs. */
export interface ActorRecord {
  readonly id: string;
  readonly type: "agent" | "run" | "supervisor";
  readonly parent: string | null;
  /** The name of the agent definition, the key of the workflow, or "supervisor". */
  readonly definition: string;
  /** The state of its chart, or the status of the run. */
  readonly state: string;
  /** XState's id of the running actor, as an inspector names it. */
  readonly sessionId: string | null;
}

/** All actors below and including a supervisor, parents before children, siblings in start order. */
export function* walkActors(supervisor: Supervisor): Iterable<ActorRecord> {
  const parent = supervisor.path === "" ? null : supervisor.path.slice(0, supervisor.path.lastIndexOf("/")) || "/";
  yield {
    id: supervisor.path || "/",
    type: "supervisor",
    parent,
    definition: "supervisor",
    state: supervisor.state,
    sessionId: supervisor.actor?.sessionId ?? null,
  };
  for (const child of supervisor.children.values()) {
    if (child.kind === "supervisor") yield* walkActors(child as Supervisor);
    else if (child.kind === "remote") yield recordOfRemote(child as RemoteChild, supervisor);
    else if (child.kind === "run") yield recordOfRun(child as RunActor, supervisor);
    else yield recordOf(child as Cell, supervisor);
  }
}

function recordOf(cell: Cell, supervisor: Supervisor): ActorRecord {
  return {
    id: cell.path,
    type: "agent",
    parent: supervisor.path || "/",
    definition: cell.behaviour.name,
    state: cell.state,
    sessionId: cell.actor?.sessionId ?? null,
  };
}

function recordOfRemote({ path, exposed, state }: RemoteChild, supervisor: Supervisor): ActorRecord {
  const parent = supervisor.path || "/";
  return { id: path, type: "agent", parent, definition: exposed, state, sessionId: null };
}

function recordOfRun(run: RunActor, supervisor: Supervisor): ActorRecord {
  return {
    id: run.path,
    type: "run",
    parent: supervisor.path || "/",
    definition: run.workflow,
    state: run.status,
    sessionId: run.ref.sessionId,
  };
}

/** The children of any supervisor below that run on other nodes. */
export function* remoteChildren(supervisor: Supervisor): Iterable<RemoteChild> {
  for (const child of supervisor.children.values()) {
    if (child.kind === "supervisor") yield* remoteChildren(child as Supervisor);
    else if (child.kind === "remote") yield child as RemoteChild;
  }
}

/** The agent at a path such as "/council/level-0/architect". */
export function cellAt(root: Supervisor, path: string): Cell | undefined {
  let at: Supervisor = root;
  // Every call from another node passes here: the names are taken one by one, without a list of them.
  for (let from = path.indexOf("/") + 1; from > 0;) {
    const to = path.indexOf("/", from);
    const child = at.children.get(to === -1 ? path.slice(from) : path.slice(from, to));
    if (child === undefined || child.kind === "remote" || child.kind === "run") return undefined;
    if (child.kind === "agent") return to === -1 ? (child as Cell) : undefined;
    at = child as Supervisor;
    from = to + 1;
  }
  return undefined;
}
