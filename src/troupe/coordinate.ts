import { failure, type Degradation, type Failure, type Json, type Outcome } from "../../machines/failure.ts";
import { describeThrown } from "../system/verdicts.ts";
import type { CallOptions, Progress } from "../agent/context.ts";
import type { Swarm, SwarmMember } from "./swarm.ts";

/** Parts that one worker has in its mailbox at once; the rest waits with the master. */
const partsPerWorker = 64;

/** Most parts one task may be split into at one member. */
export const partsMax = 10_000;

/** A step of the master: your own function, or a capability of the master itself. */
export type MasterStep<Input, Output> = string | ((input: Input) => Output | Promise<Output>);

/** Who splits, who works and who integrates in `masterWorker`. */
export interface MasterWorkerPlan<Task, Part, Result> {
  /** Splits a task for so many workers. As a capability its input is `{ task, workers }` and its output an array. */
  readonly split: MasterStep<{ readonly task: Task; readonly workers: number }, readonly Part[]>;
  /** The capability that works on one part. */
  readonly work: string;
  /** Puts the results together, in the order of the parts. As a capability its input is `{ task, results }`. */
  readonly integrate: MasterStep<{ readonly task: Task; readonly results: readonly unknown[] }, Result>;
  /** Told after each part: how many of how many are done at the top level. */
  readonly onProgress?: (progress: Progress) => void;
  /** Parts that may fail before the whole does; each one that failed is named in `degraded`. Default 0. */
  readonly toleratedFailures?: number;
  /** For each call of the plan: a budget holds for each by itself, and each has a key of its own made from `key`. */
  readonly options?: CallOptions;
}

function fail(failed: Failure): Outcome<never> {
  return { ok: false, failure: failed };
}

async function runStep<Input, Output>(
  step: MasterStep<Input, Output>,
  master: SwarmMember,
  given: { readonly input: Input; readonly options: CallOptions | undefined },
): Promise<Outcome<Output>> {
  if (typeof step === "string") return (await master.ref.call(step, given.input, given.options)) as Outcome<Output>;
  try {
    return { ok: true, value: await step(given.input) };
  } catch (thrown) {
    return fail(failure("dispatch/stage-failed", `a step of the master threw: ${describeThrown(thrown)}`, {}));
  }
}

/**
 * Master and workers: the master splits the task, those below it do the parts, the master integrates the results.
 * In a hierarchy every member with members below it is a master of its own, so work flows down the levels and
 * results flow up; elsewhere the first member is the master and those it is linked to are the workers.
 * Shape: the outcome of the integration, or the first failure that was not tolerated.
 * Source: the user's document 004, master-worker coordination.
 * @example
 * ```ts
 * import { createTroupe, defineAgent, masterWorker } from "troupe";
 * import { z } from "zod";
 * const counter = defineAgent({
 *   name: "counter",
 *   capabilities: { count: { input: z.string(), output: z.number(), run: ({ input }) => input.split(" ").length } },
 * });
 * await using troupe = await createTroupe();
 * const swarm = await troupe.swarm({ topology: "star", agents: [{ agent: counter, count: 4 }] });
 * const words = await masterWorker(swarm, ["one two", "three"], {
 *   split: ({ task }) => task,
 *   work: "count",
 *   integrate: ({ results }) => results.reduce((sum: number, each) => sum + Number(each), 0),
 * });
 * console.log(words);
 * ```
 */
export async function masterWorker<Task, Part, Result>(
  swarm: Swarm,
  task: Task,
  plan: MasterWorkerPlan<Task, Part, Result>,
): Promise<Outcome<Result>> {
  const master = swarm.members.find((member) => workersOf(swarm, member).length > 0);
  if (master === undefined)
    return fail(
      failure("swarm/not-linked", `in swarm "${swarm.name}" no member has another below it to give work to`, {
        swarm: swarm.name,
      }),
    );
  return (await lead(swarm, master, {
    task,
    plan: plan as unknown as MasterWorkerPlan<unknown, unknown, unknown>,
  })) as Outcome<Result>;
}

/** Those a member may give work to. */
function workersOf(swarm: Swarm, master: SwarmMember): readonly SwarmMember[] {
  const linked = master.links.map((index) => swarm.members[index] as SwarmMember);
  if (swarm.topology === "hierarchical") return linked.filter((member) => member.parent === master.index);
  return master.index === 0 ? linked : [];
}

interface Job {
  readonly task: unknown;
  readonly plan: MasterWorkerPlan<unknown, unknown, unknown>;
}

async function lead(swarm: Swarm, master: SwarmMember, { task, plan }: Job): Promise<Outcome<unknown>> {
  const workers = workersOf(swarm, master);
  const split = await runStep(plan.split, master, {
    input: { task, workers: workers.length },
    options: keyed(plan.options, "split"),
  });
  if (!split.ok) return split;
  const parts = split.value;
  if (!Array.isArray(parts))
    return fail(
      failure("agent/invalid-output", `the split of ${master.ref.path} is not an array of parts`, {
        agent: master.ref.path,
      }),
    );
  if (parts.length > partsMax)
    return fail(
      failure("call/rejected", `the task was split into ${parts.length} parts; at most ${partsMax} are allowed`, {
        parts: parts.length,
      }),
    );
  let done = 0;
  const work = async (part: unknown, index: number): Promise<Outcome<unknown>> => {
    const worker = workers[index % workers.length] as SwarmMember;
    const options = keyed(plan.options, String(index));
    const own = options === undefined ? plan : { ...plan, options };
    const outcome = await workOn(swarm, worker, { part, plan: own, from: master });
    done += 1;
    if (master.parent === -1) tellProgress(plan, done, parts.length);
    return outcome;
  };
  const outcomes = await mapInWindow(parts as readonly unknown[], workers.length * partsPerWorker, work);
  return integrate(master, { task, plan }, outcomes);
}

/** Each call of a plan has a key of its own, from the plan's: one key would answer them all with the first outcome. */
function keyed(options: CallOptions | undefined, step: string): CallOptions | undefined {
  return options?.key === undefined ? options : { ...options, key: `${options.key}/${step}` };
}

/** A listener that throws must not cost the work. */
function tellProgress(plan: Job["plan"], done: number, all: number): void {
  try {
    plan.onProgress?.({ fraction: done / all, note: `${done} of ${all} parts` });
  } catch {
    // Whoever listens has the error; the parts go on.
  }
}

/** Like `Promise.all` over a map, in order of the items, with at most `width` under way. */
async function mapInWindow<Item, Result>(
  items: readonly Item[],
  width: number,
  run: (item: Item, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Array<Result>(items.length);
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await run(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

function workOn(
  swarm: Swarm,
  worker: SwarmMember,
  job: { readonly part: unknown; readonly plan: Job["plan"]; readonly from: SwarmMember },
): Promise<Outcome<unknown>> {
  const { part, plan, from } = job;
  // Below the top, the same plan's callbacks serve the levels; progress is told at the top only.
  if (workersOf(swarm, worker).length > 0) return lead(swarm, worker, { task: part, plan });
  return swarm.call(plan.work, part, { ...plan.options, from: from.ref, to: worker.ref });
}

async function integrate(
  master: SwarmMember,
  { task, plan }: Job,
  outcomes: readonly Outcome<unknown>[],
): Promise<Outcome<unknown>> {
  const failed = outcomes.filter((outcome) => !outcome.ok);
  const first = failed[0];
  if (first !== undefined && failed.length > (plan.toleratedFailures ?? 0)) return first;
  const results = outcomes.filter((outcome) => outcome.ok).map((outcome) => outcome.value);
  const whole = await runStep(plan.integrate, master, {
    input: { task, results },
    options: keyed(plan.options, "integrate"),
  });
  if (!whole.ok) return whole;
  const degraded = [
    ...outcomes.flatMap((outcome) => (outcome.ok ? (outcome.degraded ?? []) : [])),
    ...failed.map(missingPart),
    ...(whole.degraded ?? []),
  ];
  return degraded.length === 0 ? whole : { ...whole, degraded };
}

function missingPart(outcome: Outcome<unknown>): Degradation {
  return { what: "one part is missing", why: outcome.ok ? "" : outcome.failure.message, severity: "medium" };
}

/** How peers propose, agree, contribute and integrate in `peerToPeer`. */
export interface PeerPlan<Result> {
  /** Each peer's approach to the task: a capability with input `{ task }` and a string as output. */
  readonly propose: string;
  /** How the peers choose among the approaches that were proposed. */
  readonly agree: (approaches: readonly string[], peers: readonly SwarmMember[]) => Promise<Outcome<string>>;
  /** Each peer's part, once they agree: a capability with input `{ task, approach }`. */
  readonly contribute: string;
  readonly integrate: (
    contributions: readonly { readonly peer: string; readonly value: unknown }[],
    approach: string,
  ) => Result | Promise<Result>;
  readonly options?: CallOptions;
}

/**
 * Peers: each proposes an approach, they agree on one, each contributes, and the contributions are integrated.
 * A peer that fails to propose or to contribute is left out and named in `degraded`; with no proposal, or no
 * contribution, the whole fails. Agreement is yours to name: the first approach, the most frequent one, or a signed vote of `troupe.decide`.
 * Source: the user's document 004, peer-to-peer coordination.
 */
export async function peerToPeer<Result>(swarm: Swarm, task: Json, plan: PeerPlan<Result>): Promise<Outcome<Result>> {
  const proposals = await gather(swarm, plan.propose, { input: { task }, options: keyed(plan.options, "propose") });
  const approaches = [...new Set(proposals.good.map(({ value }) => String(value)))];
  if (approaches.length === 0) return fail(proposals.firstFailure);
  const agreed = await guarded("agree", () => plan.agree(approaches, swarm.members));
  if (!agreed.ok) return agreed;
  const contributions = await gather(swarm, plan.contribute, {
    input: { task, approach: agreed.value },
    options: keyed(plan.options, "contribute"),
  });
  if (contributions.good.length === 0) return fail(contributions.firstFailure);
  const whole = await guarded("integrate", async () => ({
    ok: true as const,
    value: await plan.integrate(contributions.good, agreed.value),
  }));
  const degraded = [...proposals.missing, ...contributions.missing];
  return degraded.length === 0 || !whole.ok ? whole : { ...whole, degraded };
}

/** A step of the plan that throws is a failure as data. */
async function guarded<Result>(step: string, run: () => Promise<Outcome<Result>>): Promise<Outcome<Result>> {
  try {
    return await run();
  } catch (thrown) {
    return fail(failure("dispatch/stage-failed", `the ${step} step of the peers threw: ${describeThrown(thrown)}`, {}));
  }
}

interface Gathered {
  readonly good: readonly { readonly peer: string; readonly value: unknown }[];
  readonly missing: readonly Degradation[];
  readonly firstFailure: Failure;
}

async function gather(
  swarm: Swarm,
  capability: string,
  given: { readonly input: unknown; readonly options: CallOptions | undefined },
): Promise<Gathered> {
  const outcomes = await Promise.all(
    swarm.members.map(async (member) => ({
      peer: member.ref.path,
      outcome: await member.ref.call(capability, given.input, given.options),
    })),
  );
  const good: { peer: string; value: unknown }[] = [];
  const missing: Degradation[] = [];
  let firstFailure: Failure | undefined;
  for (const { peer, outcome } of outcomes) {
    if (outcome.ok) {
      good.push({ peer, value: outcome.value });
      continue;
    }
    firstFailure ??= outcome.failure;
    missing.push({ what: `${capability} of ${peer} is missing`, why: outcome.failure.message, severity: "medium" });
  }
  return {
    good,
    missing,
    firstFailure:
      firstFailure ?? failure("dispatch/no-agent", `swarm "${swarm.name}" has no members`, { swarm: swarm.name }),
  };
}
