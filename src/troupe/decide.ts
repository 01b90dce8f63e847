import { decide, type DecideRequest } from "../consensus/decide.ts";
import type { Decision, Execution } from "../consensus/decision.ts";
import { createMember, createSigner } from "../consensus/ed25519.ts";
import { executeDecision, type Decided } from "../consensus/execution/execute.ts";
import { checkPayloads } from "../consensus/execution/payload.ts";
import { recallDecision } from "../consensus/execution/recall.ts";
import { opinionCapability } from "../consensus/opinion/opinion.ts";
import { ballotTimeoutMs } from "../consensus/policy.ts";
import type { Participant, Voter } from "../consensus/voter.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { callTimeoutMaxMs } from "../dispatch/options.ts";
import { LocalRef, type AgentRef } from "../dispatch/ref.ts";
import { TroupeError } from "../errors.ts";
import type { Signer } from "../ports/signer.ts";
import type { Store } from "../ports/store.ts";
import type { Core } from "../system/core.ts";
import type { Supervisor } from "../system/supervisor.ts";
import type { Workflows } from "../workflow/workflows.ts";

/** How an agent takes part in votes. */
export interface VoterOptions {
  /** Default: the weight it was spawned with. */
  readonly weight?: number;
  /** What its faults may have in common with others: a model family, a provider, a team. */
  readonly group?: string;
}

/** An agent that offers `decision.opinion`, with another weight or group than its own. */
export interface AgentVoter extends VoterOptions {
  readonly actor: AgentRef;
}

/** Everything that can vote: an agent, an agent with a weight, a voter with its own key, a voter behind messages. */
export type VoterLike = AgentRef | AgentVoter | Voter | Participant;

/** One question, its options, who votes, and the rules of the vote. */
export interface DecideOptions extends Omit<DecideRequest, "voters"> {
  readonly voters: readonly VoterLike[];
  /**
   * Carries out the certified option: its payload `{call: {capability, input}}` becomes one call of this troupe,
   * `{workflow: {key, input}}` one run of a registered workflow, once per decision and store. Default false.
   */
  readonly execute?: boolean;
}

/** What deciding needs of the troupe. */
export interface DecideHost {
  readonly core: Core;
  readonly store: Store;
  readonly node: string;
  readonly dispatcher: Pick<Dispatcher, "send">;
  readonly workflows: Pick<Workflows, "catalogue" | "run">;
  /** Where charts are shown; they cost something, so only where there is an inspector. */
  readonly root: Pick<Supervisor, "host">;
  readonly inspector: object | undefined;
}

/** Agents as voters of one troupe: each agent has one key, made here at its first vote and never handed out. */
export class Electors {
  readonly #host: DecideHost;
  readonly #keys = new WeakMap<object, Signer>();
  #coordinator: Signer | undefined;

  constructor(host: DecideHost) {
    this.#host = host;
  }

  /** The voter of an agent: calls become opinions, opinions become ballots signed with the agent's key. */
  voter(ref: AgentRef, options: VoterOptions = {}, timeoutMs: number = ballotTimeoutMs): Voter {
    const made = createMember({
      id: ref.path.slice(1),
      weight: options.weight ?? ref.weight,
      host: ref.node,
      custody: "host",
      ...(options.group === undefined ? {} : { group: options.group }),
    });
    const agent = LocalRef.cellOf(ref) ?? ref;
    const signer = this.#keys.get(agent) ?? made.signer;
    this.#keys.set(agent, signer);
    const member = { ...made.member, publicKey: Buffer.from(signer.publicKey).toString("hex") };
    return {
      member,
      signer,
      opine: (question, { signal, problem }) => {
        const constraints =
          problem === undefined
            ? question.constraints
            : [...question.constraints, `Your first opinion could not be used: ${problem}`.slice(0, 2_000)];
        return ref.call(
          opinionCapability,
          { ...question, constraints },
          { signal, decisionId: question.decisionId, timeoutMs: Math.min(timeoutMs, callTimeoutMaxMs) },
        );
      },
    };
  }

  async decide(options: DecideOptions): Promise<Decision> {
    const { execute = false, ...request } = options;
    if (execute) checkPayloads(request.options, (key) => this.#checkWorkflow(key));
    const { store, root, inspector } = this.#host;
    const { clock, ids, observe } = this.#host.core.ports;
    const timeoutMs = request.timeoutMs ?? ballotTimeoutMs;
    const voters = request.voters.map((each) => this.#toVoter(each, timeoutMs));
    const coordinator = (this.#coordinator ??= createSigner());
    const decision = await decide(
      { ...request, voters },
      {
        clock,
        ids,
        observe,
        coordinator,
        journal: store,
        votes: store,
        ...(inspector === undefined ? {} : { host: root.host }),
      },
    );
    if (!execute) return decision;
    const { decisionId, status, certificate, electorate } = decision;
    const decided = { decisionId, status, certificate, electorate, options: request.options };
    const execution = await this.#execute(decided, request.signal);
    return execution === undefined ? decision : { ...decision, execution };
  }

  /** Carries out what an earlier process decided, where it did not come to it. */
  async execute(decisionId: string): Promise<Execution | undefined> {
    const decided = await recallDecision(this.#host.store, decisionId);
    return decided === undefined ? undefined : await this.#execute(decided, undefined);
  }

  #execute(decided: Decided, signal: AbortSignal | undefined): Promise<Execution | undefined> {
    const { core, store, dispatcher, workflows } = this.#host;
    const { decisionId } = decided;
    return executeDecision(decided, {
      clock: core.ports.clock,
      store,
      call: (capability, input, { key }) =>
        dispatcher.send({
          capability,
          input,
          options: { key, decisionId, ...(signal === undefined ? {} : { signal }) },
        }),
      run: (workflow, input, { key }) => workflows.run(workflow, input, { key }),
    });
  }

  #checkWorkflow(key: string): void {
    if (this.#host.workflows.catalogue.get(key) !== undefined) return;
    throw new TroupeError(
      "usage/unknown-workflow",
      `no workflow has the key "${key}" that an option's payload names; register it first with troupe.workflows.define`,
    );
  }

  #toVoter(each: VoterLike, timeoutMs: number): Voter | Participant {
    if (!isVoterLike(each))
      throw new TroupeError(
        "usage/invalid-electorate",
        "voters: each must be an agent (AgentRef), { actor, weight }, or a voter with a member and a signer",
      );
    if ("member" in each) return each;
    if ("actor" in each) return this.voter(each.actor, each, timeoutMs);
    return this.voter(each, {}, timeoutMs);
  }
}

function isVoterLike(each: unknown): boolean {
  if (typeof each !== "object" || each === null) return false;
  return "member" in each || "actor" in each || "path" in each;
}
