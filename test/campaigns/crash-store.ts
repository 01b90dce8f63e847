import type { Store, Turn } from "../../src/ports/store.ts";

/** What is switched off, to prove that the campaign notices. */
export const sabotages = ["none", "keys", "completions"] as const;
export type Sabotage = (typeof sabotages)[number];

/** A run is written without its key, so that it is never found again by it. */
function withoutKeys(turn: Turn): Turn {
  if (turn.createRuns === undefined) return turn;
  return { ...turn, createRuns: turn.createRuns.map((row) => ({ ...row, key: null })) };
}

/** The end of a task is journaled, and the task stays open: nothing compares, nothing is set. */
function withoutCompletions({ closeTasks: _tasks, takeTimers: _timers, ...turn }: Turn): Turn {
  return turn;
}

const changes: { readonly [Name in Sabotage]: (turn: Turn) => Turn } = {
  none: (turn) => turn,
  keys: withoutKeys,
  completions: withoutCompletions,
};

/** The same store, with one of its two guards against doing things twice taken away. */
export function sabotageStore(store: Store, sabotage: Sabotage): Store {
  const change = changes[sabotage];
  return new Proxy(store, {
    get(target, name) {
      if (name === "commit") return (turn: Turn) => target.commit(change(turn));
      if (name === "findRun" && sabotage === "keys") return () => Promise.resolve(undefined);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}
