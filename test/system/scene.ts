import { expect } from "vitest";
import { z } from "zod";
import {
  createTroupe,
  defineAgent,
  type AgentRef,
  type Down,
  type Outcome,
  type StreamEvent,
  type SupervisionTree,
  type Troupe,
  type TroupeOptions,
} from "troupe";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { silentLog, type Log } from "../../src/ports/log.ts";
import type { ChildDeclaration, SupervisionOptions } from "../../src/troupe/options.ts";

/** What a puppet is told to do, in words: "answer", "crash", "exit", "wait 100", "ignore 100". */
const order = z.object({ order: z.string() });

/** Resolves after `ms` of the clock; rejects when the signal aborts first, where one is given. */
export function pass(clock: FakeClock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, resolve);
    signal?.addEventListener("abort", () => {
      timer.cancel();
      reject(signal.reason as Error);
    });
  });
}

interface PuppetHooks {
  readonly name?: string;
  readonly concurrency?: number;
  readonly startTimeoutMs?: number;
  /** Runs at each start with the number of the start, from 1, over all puppets of this kind. */
  readonly start?: (turn: number, signal: AbortSignal) => unknown;
  readonly stop?: (signal: AbortSignal) => void | Promise<void>;
  /** Hears what each handler is told as it begins. */
  readonly onRun?: (told: string) => void;
}

/** An agent that does as it is told. `obey` may run once only, `repeat` is idempotent. */
export function puppet(clock: FakeClock, hooks: PuppetHooks = {}) {
  let starts = 0;
  const { name = "puppet", start, stop, onRun, ...policy } = hooks;
  const run = async (
    told: string,
    { signal, exit }: { readonly signal: AbortSignal; readonly exit: () => void },
  ): Promise<string> => {
    const [verb = "", ms = "0"] = told.split(" ");
    onRun?.(told);
    if (verb === "crash") throw new Error("boom");
    if (verb === "exit") exit();
    if (verb === "wait") await pass(clock, Number(ms), signal);
    if (verb === "ignore") await pass(clock, Number(ms));
    if (verb === "doom") {
      await pass(clock, Number(ms));
      throw new Error("doom");
    }
    return `${verb} done`;
  };
  return defineAgent({
    name,
    ...policy,
    ...(start === undefined ? {} : { start: ({ signal }) => start((starts += 1), signal) }),
    ...(stop === undefined ? {} : { stop: (_state, { signal }) => stop(signal) }),
    capabilities: {
      obey: { input: order, output: z.string(), run: (context) => run(context.input.order, context) },
      repeat: {
        idempotent: true,
        input: order,
        output: z.string(),
        run: (context) => run(context.input.order, context),
      },
    },
  });
}

/** A stage on which a supervision tree is tried, under a clock that stands still until told otherwise. */
export interface Scene {
  readonly clock: FakeClock;
  readonly troupe: Troupe;
  /** Calls made so far, by the number that the transcript gives them. */
  readonly outcomes: readonly Promise<Outcome<unknown>>[];
  readonly notices: readonly Down[];
  /** The agent of that name, "a" or "inner/a". */
  readonly agent: (name: string) => AgentRef;
  /** Calls the agent; the outcome shows in the transcript. */
  readonly tell: (name: string, order: string, options?: { readonly twice?: boolean }) => Promise<Outcome<unknown>>;
  readonly watch: (name: string) => void;
  /** Moves time on by `ms`. */
  readonly pass: (ms: number) => Promise<void>;
}

/** Renders what matters of supervision: who started, crashed, stopped, came back, and how calls ended. */
function render({ type, at, agent, data }: StreamEvent, from: number): string | undefined {
  const { incarnation, message, code, call, delayMs } = data as { readonly [key: string]: string | number };
  const path = agent === "" ? "/" : agent;
  const who = incarnation === undefined ? path : `${path}#${incarnation}`;
  const why = `${message}`.replace(/^(agent|supervisor) \S+ (crashed|could not start): /, "");
  const said: { readonly [type: string]: string | undefined } = {
    "agent.started": `start ${who}`,
    "supervisor.started": `start ${who}`,
    "agent.stopped": `stop ${who}`,
    "supervisor.stopped": `stop ${who}`,
    "agent.crashed": `${code === "agent/start-failed" ? "cannot start" : "crash"} ${who} "${why}"`,
    "agent.restarting": delayMs === 0 ? undefined : `back off ${who} for ${delayMs} ms`,
    "supervisor.escalated": `give up ${who}`,
    "call.completed": `call ${call} ok`,
    "call.failed": `call ${call} fails ${code}`,
  };
  return said[type] === undefined ? undefined : `t=${at - from} ${said[type]}`;
}

/** Strips the common indentation of an expected transcript. */
export function script(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}

/** Children of a tree, named in order; options in common. */
export function children(agent: ChildDeclaration & { agent: unknown }, names: string): ChildDeclaration[] {
  return names.split(" ").map((name) => ({ ...agent, name }));
}

interface Setting {
  readonly troupe?: Partial<TroupeOptions>;
  readonly log?: Log;
  /** Also show how the scene is taken down. */
  readonly toTheEnd?: boolean;
}

/**
 * Plays a scene and gives its transcript. Whatever happens on stage, in the end no timer may be left and no actor
 * resident.
 */
export async function play(
  stage: SupervisionTree | ((clock: FakeClock) => SupervisionTree),
  act: (scene: Scene) => Promise<void>,
  setting: Setting = {},
): Promise<string> {
  const clock = new FakeClock();
  const from = clock.now();
  const { log = silentLog } = setting;
  const ports = { clock, random: seededRandom(1), ids: seededIds(1), log };
  const troupe = await createTroupe({ ports, ...setting.troupe });
  const lines: string[] = [];
  let quiet = false;
  const reading = (async () => {
    for await (const event of troupe.events({ type: ["agent.*", "supervisor.*", "call.*"] })) {
      const line = quiet ? undefined : render(event, from);
      if (line !== undefined) lines.push(line);
    }
  })();
  const tree = typeof stage === "function" ? stage(clock) : stage;
  const opening = troupe.supervise(tree);
  const scene = sceneOf({ clock, troupe, root: tree.name, opening });
  await clock.settle();
  await act(scene);
  await clock.settle();
  quiet = setting.toTheEnd !== true;
  const closed = troupe.close();
  await clock.advance(60_000);
  await closed;
  await reading;
  expect(clock.waiting).toBe(0);
  expect(troupe.metrics().residentActors).toBe(0);
  return lines.join("\n");
}

function sceneOf(given: {
  clock: FakeClock;
  troupe: Troupe;
  root: string;
  opening: ReturnType<Troupe["supervise"]>;
}): Scene {
  const { clock, troupe, root, opening } = given;
  const refs = new Map<string, AgentRef>();
  void opening.then(
    ({ agents }) => {
      for (const ref of agents) refs.set(ref.path, ref);
    },
    () => undefined,
  );
  const outcomes: Promise<Outcome<unknown>>[] = [];
  const notices: Down[] = [];
  const agent = (name: string): AgentRef => {
    const ref = refs.get(`/${root}/${name}`);
    if (ref === undefined) throw new Error(`no agent ${name} on stage`);
    return ref;
  };
  return {
    clock,
    troupe,
    outcomes,
    notices,
    agent,
    tell(name, told, { twice = false } = {}) {
      const outcome = agent(name).call(twice ? "repeat" : "obey", { order: told });
      outcomes.push(outcome);
      return outcome;
    },
    watch(name) {
      void agent(name)
        .monitor()
        .then((down) => notices.push(down));
    },
    pass: (ms) => clock.advance(ms),
  };
}

/** A tree of one level whose children are puppets. */
export function council(names: string, options: SupervisionOptions = {}, child: object = {}) {
  return (clock: FakeClock): SupervisionTree => ({
    name: "council",
    ...options,
    children: children({ agent: puppet(clock), ...child }, names),
  });
}
