import { type AnyStateMachine, createMachine, enqueueActions } from "xstate";
import type { Start } from "../events.ts";
import type { Plan } from "../plan.ts";
import { actionNames } from "../run/actions.ts";
import { guardNames } from "../run/guards.ts";
import { firstContext } from "../run/start.ts";
import { Turn, type TurnEvent, type TurnRules } from "../run/turn.ts";
import type { Params } from "../chart/config.ts";
import type { RunContext } from "../state.ts";

/**
 * The compiled config as a real XState machine, with the same actions and guards: XState follows the arrows of the
 * run's own chart, lanes run inside the actions, and each effect arrives as a custom action of its name, with itself
 * as `params`. Its input is the `start` event; the events it takes are the run's events.
 */

interface GuardArguments {
  readonly context: RunContext;
  readonly event: TurnEvent;
}

interface ActionArguments extends GuardArguments {
  readonly enqueue: ((action: { type: string; params: object }) => void) & {
    assign(context: object): void;
    raise(event: object): void;
  };
}

/** Fields that an action may take away: XState merges what is assigned, so they are named. */
const optionalFields = [
  "failure",
  "failedPath",
  "handler",
  "before",
  "checkpoint",
  "undoing",
  "cancelReason",
  "output",
];

function assignable(context: RunContext): object {
  return { ...Object.fromEntries(optionalFields.map((field) => [field, undefined])), ...context };
}

function eventOf(event: TurnEvent, context: RunContext): TurnEvent {
  return "at" in event ? event : { ...(event as object), type: (event as { type: string }).type, at: context.at };
}

export function createRunMachine(plan: Plan, rules: TurnRules): AnyStateMachine {
  const world = { plan, rules };
  const actions = actionNames.map((type) => {
    const perform = ({ context, event, enqueue }: ActionArguments, params: Params): void => {
      const turn = new Turn(world, context, eventOf(event, context));
      rules.perform(turn, { type, params }, { frame: "", event });
      enqueue.assign(assignable(turn.context));
      for (const effect of turn.effects) enqueue({ type: effect.type, params: effect });
      for (let raised = turn.take(""); raised !== undefined; raised = turn.take("")) enqueue.raise(raised);
    };
    return [type, enqueueActions(perform as never)] as const;
  });
  const guards = guardNames.map((type) => {
    const check = ({ context, event }: GuardArguments, params: Params): boolean =>
      rules.allows(new Turn(world, context, eventOf(event, context)), { type, params }, "");
    return [type, check] as const;
  });
  const context = ({ input }: { input: Start }): RunContext => firstContext(input);
  // The generics of createMachine cannot follow a config that is made at run time.
  return createMachine({ ...plan.root.config, context } as never, {
    actions: Object.fromEntries(actions),
    guards: Object.fromEntries(guards) as never,
  }) as AnyStateMachine;
}
