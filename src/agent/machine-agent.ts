import type { z } from "zod";
import type { Actor, ActorLogic, AnyActorLogic, AnyActorRef, EventObject, Snapshot } from "xstate";
import { failure } from "../../machines/failure.ts";
import { Refusal, TroupeError } from "../errors.ts";
import { checkAgentSpec } from "./check.ts";
import {
  brandDefinition,
  type AgentDefinition,
  type AgentPolicy,
  type CapabilityPolicy,
  type CapabilitySpec,
  type Typed,
} from "./define.ts";

/** How one capability becomes events for the machine, and how the machine's snapshot becomes the answer. */
interface MachineCapability<Shown, Event, In extends z.ZodType, Out extends z.ZodType> extends CapabilityPolicy {
  /** The event, or events in order, that the call sends. */
  readonly event: (input: z.output<In>) => Event | readonly Event[];
  /** When the answer is ready; without it, right after the events. */
  readonly until?: (snapshot: Shown) => boolean;
  readonly reply: (snapshot: Shown) => z.input<Out>;
}

/** What `define` takes for a machine with these snapshots, events and input. */
type MachineAgentSpec<
  Shown,
  Event,
  Input,
  In extends Record<string, z.ZodType>,
  Out extends Record<string, z.ZodType>,
> = AgentPolicy & {
  readonly name: string;
  /** Input of the machine, the same at each start. */
  readonly machineInput?: Input;
  readonly capabilities: {
    readonly [Name in keyof In]: { readonly input: In[Name] } & MachineCapability<
      Shown,
      Event,
      In[Name],
      Out[Name & keyof Out]
    >;
  } & { readonly [Name in keyof Out]: { readonly output: Out[Name] } };
};

/** A machine that can be made an agent of. Two steps, so that events and snapshots are typed by the machine. */
export interface MachineAgent<Shown, Event, Input> {
  define<In extends Record<string, z.ZodType>, Out extends Record<string, z.ZodType>>(
    spec: MachineAgentSpec<Shown, Event, Input, In, Out>,
  ): AgentDefinition<Typed<In, Out>>;
}

/**
 * Makes an agent of your own XState machine: calls become events, snapshots become answers.
 * Shape: `define` gives a definition like that of `defineAgent`. The machine runs as an XState actor under its
 * supervisor; when it reaches a final state the agent has ended in good order, and when it throws it has crashed.
 * Errors: `define` throws `usage/invalid-definition` as `defineAgent` does.
 * @example
 * ```ts
 * import { machineAgent } from "troupe";
 * import { createMachine } from "xstate";
 * import { z } from "zod";
 * const light = createMachine({ initial: "off", states: { off: { on: { toggle: "on" } }, on: { on: { toggle: "off" } } } });
 * const lamp = machineAgent(light).define({
 *   name: "lamp",
 *   capabilities: {
 *     toggle: { input: z.object({}), output: z.string(), event: () => ({ type: "toggle" }), reply: (snapshot) => String(snapshot.value) },
 *   },
 * });
 * ```
 */
export function machineAgent<Shown extends Snapshot<unknown>, Event extends EventObject, Input>(
  // Emitted events and the system's type play no part here.
  // oxlint-disable-next-line typescript/no-explicit-any
  machine: ActorLogic<Shown, Event, Input, any, any>,
): MachineAgent<Shown, Event, Input> {
  return { define: (spec) => defineMachineAgent(machine, spec as never) };
}

interface ErasedSpec extends AgentPolicy {
  readonly name: string;
  readonly machineInput?: unknown;
  readonly capabilities: { readonly [capability: string]: Erased };
}

function defineMachineAgent(machine: AnyActorLogic, spec: ErasedSpec): AgentDefinition<never> {
  const { name, machineInput, capabilities, ...policy } = spec;
  const driven: Record<string, CapabilitySpec> = {};
  for (const [capability, declared] of Object.entries(capabilities)) driven[capability] = drivenBy(declared);
  const problem = checkAgentSpec(name, { capabilities: driven, streams: {} }, policy) ?? checkMachine(name, machine);
  if (problem !== undefined) throw new TroupeError("usage/invalid-definition", problem);
  return brandDefinition({
    name,
    policy,
    start: undefined,
    stop: undefined,
    machine,
    machineInput,
    capabilities: driven,
  });
}

function checkMachine(name: string, machine: AnyActorLogic): string | undefined {
  const looksRight = typeof (machine as { transition?: unknown } | undefined)?.transition === "function";
  return looksRight
    ? undefined
    : `machine of agent "${name}" must be XState logic, such as createMachine(…) or setup(…).createMachine(…)`;
}

type Erased = CapabilityPolicy & { input: z.ZodType; output: z.ZodType } & {
  event: (input: unknown) => { type: string } | readonly { type: string }[];
  until?: (snapshot: unknown) => boolean;
  reply: (snapshot: unknown) => unknown;
};

function drivenBy(declared: Erased): CapabilitySpec {
  const { event, until, reply, ...rest } = declared;
  return {
    ...rest,
    run: unreachable,
    drive(actor: AnyActorRef, input: unknown, call: { readonly signal: AbortSignal }) {
      const events = event(input);
      if (Array.isArray(events)) for (const each of events as { type: string }[]) actor.send(each);
      else actor.send(events);
      const snapshot = actor.getSnapshot() as { status: string; error?: unknown };
      if (snapshot.status === "error") throw snapshot.error;
      if (until === undefined || until(snapshot)) return reply(snapshot);
      if (snapshot.status !== "active") throw endedTooSoon();
      return settleLater(actor, call.signal, (now) => until(now)).then(reply);
    },
  };
}

function unreachable(): never {
  throw new Error("a machine's capability is driven, not run");
}

/** The machine ended in good order, but without the answer: a refusal, not a crash. */
function endedTooSoon(): Refusal {
  return new Refusal(failure("call/rejected", "the machine reached its end before the answer was ready"));
}

/** Waits for a snapshot that satisfies `isReady`; rejects when the call is given up or the machine ends before. */
function settleLater(
  actor: AnyActorRef,
  signal: AbortSignal,
  isReady: (snapshot: unknown) => boolean,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      subscription.unsubscribe();
      signal.removeEventListener("abort", abort);
    };
    const abort = (): void => {
      leave();
      reject(signal.reason as Error);
    };
    const fail = (thrown: unknown): void => {
      leave();
      reject(thrown);
    };
    const subscription = (actor as Actor<AnyActorLogic>).subscribe({
      next(snapshot) {
        try {
          if (!isReady(snapshot)) return;
        } catch (thrown) {
          return fail(thrown);
        }
        leave();
        resolve(snapshot);
      },
      error: fail,
      complete: () => fail(endedTooSoon()),
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}
