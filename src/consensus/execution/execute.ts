import { z } from "zod";
import { canonicalize } from "../../../machines/consensus/codec/canonical-json.ts";
import { failure, type Json, type Outcome } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import { bindingDigest } from "../binding.ts";
import type { Decision, Execution } from "../decision.ts";
import type { DecisionOption } from "../proposal.ts";
import { verifyCertificate } from "../verify.ts";

/** The payload of an option that is a call: it is made when the option is certified, once. */
const callPayload = z.object({ call: z.strictObject({ capability: z.string().min(1), input: z.json() }) });

/** What carrying out needs. */
export interface ExecutionPorts {
  readonly clock: Clock;
  /** Where it is written that the decision was carried out, under `decision/<id>/execution`. */
  readonly store: Pick<Store, "get" | "compareAndSet">;
  call(capability: string, input: Json, options: { readonly key: string }): Promise<Outcome<unknown>>;
}

/** Says which option could not be carried out, before anybody votes. Errors: throws `usage/invalid-options`. */
export function checkPayloads(options: readonly (string | DecisionOption)[]): void {
  for (const [index, option] of options.entries()) {
    const payload = typeof option === "string" ? undefined : option.payload;
    if (payload === undefined || callPayload.safeParse(payload).success) continue;
    throw new TroupeError(
      "usage/invalid-options",
      `options.${index}.payload: to be carried out it must be {call: {capability, input}}; leave it out where nothing is to be done`,
    );
  }
}

/**
 * Carries out a decision: makes the call that the certified option's payload names, at most once per decision and
 * store, whoever tries and however often. The certificate is checked first, and the payload against the digest that
 * the voters signed. The claim is written before the call, so a crash in between leaves it begun and never repeats it.
 * Undefined where nothing was decided or the option has no payload.
 */
export async function executeDecision(
  decision: Decision,
  options: readonly (string | DecisionOption)[],
  ports: ExecutionPorts,
): Promise<Execution | undefined> {
  if (decision.status !== "decided") return undefined;
  const { option, decisionId } = decision;
  const chosen = options.find((each) => typeof each !== "string" && each.id === option);
  if (chosen === undefined || typeof chosen === "string" || chosen.payload === undefined) return undefined;
  const refuse = (message: string): Execution => ({
    status: "done",
    option,
    outcome: { ok: false, failure: failure("consensus/bad-proposal", message) },
  });
  if (!verifyCertificate(decision.certificate, decision.electorate).ok)
    return refuse("the certificate does not hold, so nothing is carried out");
  const signed = decision.proposal.body.options.find(({ id }) => id === option)?.digest;
  if (!canonicalize(chosen).ok || bindingDigest("option", chosen) !== signed)
    return refuse("the payload is not the one that the voters signed");
  const { call } = callPayload.parse(chosen.payload);
  const key = `decision/${decisionId}/execution`;
  const claim = { state: "begun", option, at: ports.clock.now() };
  if (!(await ports.store.compareAndSet(key, 0, claim))) {
    const stored = await ports.store.get(key);
    return { status: "begun-elsewhere", option, record: stored?.value ?? null };
  }
  const outcome = await ports.call(call.capability, call.input, { key });
  const record = { ...claim, state: "ended", outcome } as unknown as Json;
  await ports.store.compareAndSet(key, 1, record);
  return { status: "done", option, outcome };
}
