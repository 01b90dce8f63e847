import type * as Library from "xstate";

/** The statechart of the bench: two states, and an assignment at each transition. */
export function pulseMachine({ setup }: typeof Library, onEvent?: () => void) {
  const chart = setup({
    types: { context: {} as { pulses: number }, events: {} as { type: "begin" } | { type: "finish" } },
  });
  const count = chart.assign({
    pulses: ({ context }) => {
      onEvent?.();
      return context.pulses + 1;
    },
  });
  return chart.createMachine({
    id: "pulse",
    context: { pulses: 0 },
    initial: "rest",
    states: {
      rest: { on: { begin: { target: "beat", actions: count } } },
      beat: { on: { finish: { target: "rest", actions: count } } },
    },
  });
}
