import type { AnyActorLogic } from "xstate";
import { failure, type Outcome } from "../../machines/failure.ts";
import { mailboxCapacity, type Overflow } from "../../machines/mailbox/mailbox.ts";
import { Refusal } from "../errors.ts";
import type { Behaviour } from "../system/behaviour.ts";
import type { Cell } from "../system/cell.ts";
import type { Delivery, Skill } from "../system/delivery.ts";
import type { LifeContext } from "./context.ts";
import type { AgentDefinition, AgentPolicy, CapabilitySpec } from "./define.ts";
import type { Caller, Envelope } from "./envelope.ts";
import { Context } from "./handler-context.ts";
import { pour, type Poured } from "./items.ts";
import { Checker, issuesOf, type Issue, type Parsed } from "./schema.ts";

/** Longest start hook unless a definition says otherwise. */
const startTimeoutMs = 30_000;

/** One capability of one definition, ready to run. */
export class CompiledSkill implements Skill {
  readonly name: string;
  readonly spec: CapabilitySpec;
  readonly input: Checker;
  readonly output: Checker;
  /** Of a stream. */
  readonly items: Checker | undefined;
  /** Good answers are kept as stand-ins for later failures. */
  readonly keepsAnswers: boolean;

  constructor(name: string, spec: CapabilitySpec) {
    this.name = name;
    this.spec = spec;
    this.input = new Checker(spec.input);
    this.output = new Checker(spec.output);
    this.items = spec.items === undefined ? undefined : new Checker(spec.items);
    this.keepsAnswers = spec.recovery?.fallback?.some((fallback) => "cached" in fallback) ?? false;
  }
}

/** `name@1` and `name` are the same capability; any other major is its own. */
export function capabilityKey(name: string): string {
  return name.endsWith("@1") ? name.slice(0, -2) : name;
}

const notStreaming: Issue = { path: "", message: "a stream's run is an async generator: async *run" };

function isGenerator(value: unknown): value is AsyncIterator<unknown, unknown, undefined> {
  return typeof value === "object" && value !== null && typeof (value as { next?: unknown }).next === "function";
}

const unread: Outcome<unknown> = { ok: true, value: undefined };

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

function misfit(
  code: "call/invalid-input" | "agent/invalid-output",
  skill: string,
  issues: readonly Issue[],
  what = code === "call/invalid-input" ? "input of" : "output of",
): Outcome<never> {
  const first = issues[0];
  const where = first === undefined || first.path === "" ? "" : ` at ${first.path}`;
  return {
    ok: false,
    failure: failure(code, `${what} ${skill} does not fit its schema${where}: ${first?.message ?? "unknown"}`, {
      capability: skill,
      issues,
    }),
  };
}

/** Runs the handlers of one definition: checks the input, runs, checks the output, tells refusals from crashes. */
export class HandlerBehaviour implements Behaviour {
  readonly name: string;
  residents = 0;
  readonly definition: AgentDefinition;
  readonly policy: AgentPolicy;
  readonly concurrency: number;
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly startTimeoutMs: number;
  readonly logic: AnyActorLogic | undefined;
  readonly logicInput: unknown;
  readonly start: Behaviour["start"];
  readonly stop: Behaviour["stop"];
  readonly skills: ReadonlyMap<string, CompiledSkill>;
  readonly #caller: Caller;

  constructor(definition: AgentDefinition, caller: Caller) {
    const { policy, start, stop } = definition;
    this.name = definition.name;
    this.definition = definition;
    this.policy = policy;
    this.concurrency = policy.concurrency ?? 1;
    this.capacity = policy.mailbox?.capacity ?? mailboxCapacity;
    this.overflow = policy.mailbox?.overflow ?? "busy";
    this.startTimeoutMs = policy.startTimeoutMs ?? startTimeoutMs;
    this.logic = definition.machine;
    this.logicInput = definition.machineInput;
    this.start = start === undefined ? undefined : (cell, signal) => start(lifeContext(cell, signal));
    this.stop =
      stop === undefined ? undefined : (cell, signal) => stop(cell.userState as never, lifeContext(cell, signal));
    this.skills = new Map(
      Object.entries(definition.capabilities).map(([name, spec]) => {
        const key = capabilityKey(name);
        return [key, new CompiledSkill(key, spec)];
      }),
    );
    this.#caller = caller;
  }

  isIdempotent(delivery: Delivery): boolean {
    return (delivery.skill as CompiledSkill).spec.idempotent === true;
  }

  handle(cell: Cell, delivery: Delivery): Outcome<unknown> | Promise<Outcome<unknown>> {
    const parsed = (delivery.skill as CompiledSkill).input.check(delivery.input);
    if (!(parsed instanceof Promise)) return this.#run(cell, delivery, parsed);
    const { incarnation } = cell;
    return parsed.then((later) => {
      const isLate = delivery.abandoned || cell.ended || cell.incarnation !== incarnation;
      return isLate ? gaveUp(delivery) : this.#run(cell, delivery, later);
    });
  }

  #run(cell: Cell, delivery: Delivery, parsed: Parsed): Outcome<unknown> | Promise<Outcome<unknown>> {
    const skill = delivery.skill as CompiledSkill;
    if (!parsed.success) return this.#refuseInput(cell, delivery, issuesOf(parsed.error));
    // What an earlier incarnation found degraded is not of this attempt.
    if (delivery.deliveries > 1 && delivery.sender !== undefined) (delivery.envelope as Envelope).degraded = undefined;
    let result: unknown;
    try {
      result =
        skill.spec.drive === undefined
          ? skill.spec.run(new Context(cell, delivery, this.#caller, parsed.data) as never)
          : skill.spec.drive(cell.actor as never, parsed.data, delivery);
    } catch (thrown) {
      return refusalOf(thrown, delivery);
    }
    if (skill.items !== undefined) return this.#pour(cell, delivery, result);
    if (isThenable(result)) {
      return Promise.resolve(result).then(
        (value) => this.#complete(delivery, value),
        (thrown: unknown) => refusalOf(thrown, delivery),
      );
    }
    return this.#complete(delivery, result);
  }

  /** Runs a stream: what it yields goes to whoever reads it, and what it returns is its output. */
  #pour(cell: Cell, delivery: Delivery, handler: unknown): Promise<Outcome<unknown>> {
    const { name, items } = delivery.skill as CompiledSkill;
    const { incarnation } = cell;
    if (!isGenerator(handler) || items === undefined)
      return Promise.resolve(misfit("agent/invalid-output", name, [notStreaming]));
    const poured = pour(handler, {
      sink: (delivery.envelope as Envelope | undefined)?.items,
      check: (item) => items.check(item),
      isOver: () => delivery.abandoned || cell.ended || cell.incarnation !== incarnation,
      misfit: ({ error }) => misfit("agent/invalid-output", name, issuesOf(error), "an item of"),
    });
    return poured.then(
      (given: Poured) => ("value" in given ? this.#complete(delivery, given.value) : (given.left ?? gaveUp(delivery))),
      (thrown: unknown) => refusalOf(thrown, delivery),
    );
  }

  #refuseInput(cell: Cell, delivery: Delivery, issues: readonly Issue[]): Outcome<never> {
    const { name } = delivery.skill;
    if (delivery.sender === undefined) cell.core.deadLetters.add("invalid-input", cell.path, name);
    return misfit("call/invalid-input", name, issues);
  }

  /** Nobody reads a tell's output, so it is not checked. */
  #complete(delivery: Delivery, value: unknown): Outcome<unknown> | Promise<Outcome<unknown>> {
    if (delivery.sender === undefined) return unread;
    const checked = (delivery.skill as CompiledSkill).output.check(value);
    if (checked instanceof Promise) return checked.then((later) => answer(delivery, later));
    return answer(delivery, checked);
  }
}

function answer(delivery: Delivery, checked: Parsed): Outcome<unknown> {
  if (!checked.success) return misfit("agent/invalid-output", delivery.skill.name, issuesOf(checked.error));
  const degraded = (delivery.envelope as Envelope | undefined)?.degraded;
  return degraded === undefined ? { ok: true, value: checked.data } : { ok: true, value: checked.data, degraded };
}

/** A refusal is data. A throw after the handler was told to abort is its way to obey. Any other throw is a crash. */
function refusalOf(thrown: unknown, delivery: Delivery): Outcome<never> {
  if (thrown instanceof Refusal) return { ok: false, failure: thrown.failure };
  if (delivery.abandoned) return gaveUp(delivery);
  throw thrown;
}

function gaveUp({ skill }: Delivery): Outcome<never> {
  return { ok: false, failure: failure("call/cancelled", `the handler of ${skill.name} gave up as it was told`) };
}

function lifeContext(cell: Cell, signal: AbortSignal): LifeContext {
  const { path, incarnation } = cell;
  return {
    path,
    incarnation,
    signal,
    log: (message, fields) => cell.core.ports.log.write("info", message, { agent: path, ...fields }),
  };
}
