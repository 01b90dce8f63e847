import type { Arm } from "../measuring/arm.ts";
import { callTimeoutMs, measureCalls, measureTells } from "./messages.ts";
import { loadNact } from "./peers.ts";
import { measurePopulations, type Counts } from "./populations.ts";
import { Tally } from "./tally.ts";

export const tellNact: Arm = (scale) => {
  const { start, spawn, dispatch } = loadNact();
  const tally = new Tally();
  const add = (state: number): number => {
    tally.hit();
    return state + 1;
  };
  const actor = spawn(start(), add, "counter", { initialState: 0 });
  return measureTells((n) => dispatch(actor, { type: "add", n }), tally, scale);
};

export const callNact: Arm = (scale) => {
  const { start, spawn, dispatch, query } = loadNact();
  const echo = (state: number, message: { n: number; sender: unknown }): number => {
    dispatch(message.sender, message.n);
    return state + 1;
  };
  const actor = spawn(start(), echo, "echo", { initialState: 0 });
  return measureCalls(
    {
      call: (n) => query<number>(actor, (sender) => ({ type: "echo", n, sender }), callTimeoutMs),
      isRight: (reply, n) => reply === n,
    },
    scale,
  );
};

export function populateNact(counts: Counts): Arm {
  return (scale) => {
    const { start, spawn, stop } = loadNact();
    const idle = (state: number): number => state;
    return measurePopulations(counts, scale, () => {
      const system = start();
      return {
        spawn: (count) =>
          Array.from({ length: count }, (_, id) => spawn(system, idle, `child-${id}`, { initialState: 0 })),
        stop(actors) {
          for (const actor of actors) stop(actor);
        },
      };
    });
  };
}
