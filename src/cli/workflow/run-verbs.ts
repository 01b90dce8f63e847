import type { Json, Outcome } from "../../../machines/failure.ts";
import type { RunHandle } from "../../workflow/run-handle.ts";
import type { RequestVerb } from "../../workflow/change/requests.ts";

type Body = { readonly [field: string]: Json };

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** How each verb is carried out where this process owns the store; elsewhere its owner is asked, with the same body. */
export const onHandle: { readonly [Verb in RequestVerb]: (run: RunHandle, body: Body) => Promise<Outcome<unknown>> } = {
  pause: (run) => run.pause(),
  resume: (run, { input }) => run.resume(input as Body | undefined),
  stop: (run, { compensate, reason }) =>
    run.stop({ compensate: compensate === true, ...(typeof reason === "string" ? { reason } : {}) }),
  signal: (run, { name, payload }) => run.signal(textOf(name), payload),
  retry: (run) => run.retry(),
  fork: async (run, { step }) => ({ ok: true, value: (await run.fork(textOf(step))).id }),
  patch: (run, { patches }) => run.patch(patches as unknown as Parameters<RunHandle["patch"]>[0]),
  migrate: (run, { version }) => run.migrate(textOf(version)),
};

/** What is said when a verb was taken. */
export const taken: { readonly [Verb in RequestVerb]: string } = {
  pause: "is paused",
  resume: "is resumed",
  stop: "is told to stop",
  signal: "has taken the signal",
  retry: "goes on from the failed step",
  fork: "is forked into",
  patch: "is patched",
  migrate: "is moved",
};

/** Verbs after which somebody has to work on the run: this command only notes them. */
export const needsWorker: ReadonlySet<RequestVerb> = new Set(["resume", "retry", "fork"]);
