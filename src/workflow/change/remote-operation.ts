import type { Patch } from "immer";
import type { Json, Outcome } from "../../../machines/failure.ts";
import type { Operations } from "../operations.ts";
import type { PerformRequest, RequestVerb } from "./requests.ts";

type Body = { readonly [field: string]: Json };

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** How each verb of a request is carried out. */
const verbs: {
  readonly [Verb in RequestVerb]: (operations: Operations, run: string, body: Body) => Promise<Outcome<unknown>>;
} = {
  pause: (operations, run) => operations.pause(run),
  resume: (operations, run, { input }) => operations.resume(run, input as Body | undefined),
  stop: (operations, run, { compensate, reason }) =>
    operations.stop(run, {
      ...(typeof compensate === "boolean" ? { compensate } : {}),
      ...(typeof reason === "string" ? { reason } : {}),
    }),
  signal: (operations, run, { name, payload, id }) =>
    operations.signal(run, {
      name: textOf(name),
      payload: payload ?? null,
      ...(typeof id === "string" ? { id } : {}),
    }),
  retry: (operations, run) => operations.retry(run),
  fork: async (operations, run, { step }) => ({ ok: true, value: await operations.fork(run, textOf(step)) }),
  patch: (operations, run, { patches }) => operations.patch(run, patches as unknown as readonly Patch[]),
  migrate: (operations, run, { version }) => operations.migrate(run, textOf(version)),
};

/** Carries out requests on the operations of this process. */
export function performOn(operations: Operations): PerformRequest {
  return async (run, verb, body) => {
    if (!Object.hasOwn(verbs, verb)) throw new Error(`there is no operation "${verb}"`);
    const fields = typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Body) : {};
    return (await verbs[verb](operations, run, fields)) as Outcome<Json>;
  };
}
