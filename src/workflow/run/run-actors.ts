import type { Json, Outcome } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import type { Core } from "../../system/core.ts";
import { Supervisor } from "../../system/supervisor.ts";
import type { FoldedStep, ResidentRun } from "./resident-run.ts";
import { RunActor, type RunActorRef } from "./run-actor.ts";

/** The name of the supervisor of all runs; no group of agents can have it. */
export const runsName = "runs";

/** The actors of the resident runs, under a supervisor of their own. */
export class RunActors {
  readonly #core: Core;
  readonly #root: Supervisor;
  readonly #actors = new Map<string, RunActor>();
  #supervisor: Supervisor | undefined;
  /** Takes a message that was sent to a run's actor. */
  onSignal: (run: string, name: string, payload: Json) => void = () => {};

  constructor(core: Core, root: Supervisor) {
    this.#core = core;
    this.#root = root;
  }

  get(id: string): RunActorRef | undefined {
    return this.#actors.get(id)?.ref;
  }

  #supervise(): Supervisor {
    if (this.#supervisor !== undefined) return this.#supervisor;
    if (this.#root.children.has(runsName))
      throw new TroupeError(
        "usage/name-taken",
        `a group of agents is named "${runsName}", the name of the supervisor of runs; choose another name for it`,
      );
    const supervisor = new Supervisor(this.#core, this.#root, { name: runsName });
    this.#root.add(supervisor) as undefined;
    this.#supervisor = supervisor;
    return supervisor;
  }

  /** Puts a run that came from the store into the tree, in the state that it has. */
  place(run: ResidentRun): RunActor {
    const known = this.#actors.get(run.id);
    if (known !== undefined) return known;
    const { id, fold, row, shown: state } = run;
    const onSignal = (name: string, payload: Json): void => this.onSignal(id, name, payload);
    const supervisor = this.#supervise();
    const actor = new RunActor(supervisor, { id, workflow: fold.workflow, state, onSignal });
    actor.status = row.status;
    this.#actors.set(id, actor);
    this.#core.residents += 1;
    supervisor.add(actor) as undefined;
    return actor;
  }

  /** Shows what has become durable of a run, event by event. */
  show(run: ResidentRun, steps: readonly FoldedStep[], outcome: Outcome<Json> | undefined): void {
    if (this.#core.closed) return;
    const actor = this.#actors.get(run.id) ?? this.place(run);
    actor.status = run.row.status;
    for (const [index, { event, state }] of steps.entries())
      actor.show(event, state, index === steps.length - 1 ? outcome : undefined);
  }

  remove(id: string): void {
    const actor = this.#actors.get(id);
    if (actor === undefined) return;
    this.#actors.delete(id);
    this.#core.residents -= 1;
    void this.#supervisor?.terminate(actor);
  }
}
