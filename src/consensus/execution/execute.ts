import { canonicalize } from "../../../machines/consensus/codec/canonical-json.ts";
import { failure, type Json, type Outcome } from "../../../machines/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import { bindingDigest } from "../opinion/binding.ts";
import type { Decision, Execution } from "../decision.ts";
import type { DecisionOption } from "../proposal.ts";
import { verifyCertificate } from "../verify.ts";
import { executionPayload, type ExecutionPayload } from "./payload.ts";

/** What carrying out needs. */
export interface ExecutionPorts {
  readonly clock: Clock;
  /** Where it is written that the decision was carried out, under `decision/<id>/execution`. */
  readonly store: Pick<Store, "get" | "compareAndSet">;
  call(capability: string, input: Json, options: { readonly key: string }): Promise<Outcome<unknown>>;
  /** Begins a run; the same key finds the same run. */
  run(workflow: string, input: Json, options: { readonly key: string }): Promise<{ readonly id: string }>;
}

/** What is needed of a decision to carry it out, from this process or from the journal of an earlier one. */
export interface Decided extends Pick<Decision, "decisionId" | "status" | "certificate" | "electorate"> {
  readonly options: readonly (string | DecisionOption)[];
}

type Checked =
  | { readonly payload: ExecutionPayload; readonly option: string }
  | { readonly problem: string; readonly option: string };

/** The payload that the certificate stands behind; undefined where there is nothing to do. Trusts only the certificate. */
function readPayload({ decisionId, certificate, electorate, options }: Decided): Checked | undefined {
  const check = verifyCertificate(certificate, electorate);
  if (!check.ok || certificate === null || certificate.proposal.body.decisionId !== decisionId)
    return { problem: "the certificate does not hold, so nothing is carried out", option: "" };
  const { option } = check;
  const chosen = options.find((each) => typeof each !== "string" && each.id === option);
  if (option === null || chosen === undefined || typeof chosen === "string" || chosen.payload === undefined)
    return undefined;
  const signed = certificate.proposal.body.options.find(({ id }) => id === option)?.digest;
  if (!canonicalize(chosen).ok || bindingDigest("option", chosen) !== signed)
    return { problem: "the payload is not the one that the voters signed", option };
  return { payload: executionPayload.parse(chosen.payload), option };
}

async function perform(payload: ExecutionPayload, key: string, ports: ExecutionPorts): Promise<Outcome<unknown>> {
  if ("call" in payload) return await ports.call(payload.call.capability, payload.call.input, { key });
  const { id } = await ports.run(payload.workflow.key, payload.workflow.input, { key });
  return { ok: true, value: { runId: id } };
}

function hasEnded(record: Json | undefined): boolean {
  return typeof record === "object" && record !== null && "state" in record && record["state"] === "ended";
}

/**
 * Carries out a decision: makes the call, or begins the run, that the certified option's payload names, once per
 * decision and store, whoever tries and however often. The certificate is checked first, and the payload against the
 * digest that the voters signed. It is claimed in the store before: a call that a crash interrupts stays begun and is
 * never repeated, since it may have been made; a run is asked for again under its key, which finds the same run.
 * Undefined where nothing was decided or the option has no payload.
 * Errors: throws what beginning the run throws, such as `usage/unknown-workflow`; then it may be tried again.
 */
export async function executeDecision(decided: Decided, ports: ExecutionPorts): Promise<Execution | undefined> {
  const checked = decided.status === "decided" ? readPayload(decided) : undefined;
  if (checked === undefined) return undefined;
  const { option } = checked;
  if ("problem" in checked) {
    const refusal = failure("consensus/bad-proposal", checked.problem);
    return { status: "done", option, outcome: { ok: false, failure: refusal } };
  }
  const { payload } = checked;
  const key = `decision/${decided.decisionId}/execution`;
  const claim = { state: "begun", option, at: ports.clock.now() };
  let version = 1;
  if (!(await ports.store.compareAndSet(key, 0, claim))) {
    const stored = await ports.store.get(key);
    if ("call" in payload || hasEnded(stored?.value))
      return { status: "begun-elsewhere", option, record: stored?.value ?? null };
    version = stored?.version ?? 0;
  }
  const outcome = await perform(payload, key, ports);
  const record = { ...claim, state: "ended", outcome } as unknown as Json;
  await ports.store.compareAndSet(key, version, record);
  return { status: "done", option, outcome };
}
