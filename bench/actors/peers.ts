import { createRequire } from "node:module";

import type * as Library from "xstate";

type XState = typeof Library;

/** What the bench uses of nact. */
interface Nact {
  readonly start: () => unknown;
  readonly spawn: <State, Message>(
    ...actor: [
      parent: unknown,
      handle: (state: State, message: Message) => State,
      name: string,
      options: { initialState: State },
    ]
  ) => unknown;
  readonly dispatch: (actor: unknown, message: unknown) => void;
  readonly query: <Reply>(actor: unknown, make: (sender: unknown) => unknown, timeoutMs: number) => Promise<Reply>;
  readonly stop: (actor: unknown) => void;
}

const require = createRequire(new URL("../peers/actors/package.json", import.meta.url));

/** The peers are pinned and installed beside their lockfile, never in this package. */
export function loadNact(): Nact {
  return require("nact") as Nact;
}

export function loadXState(): XState {
  return require("xstate") as XState;
}
