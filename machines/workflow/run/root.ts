import type { Json } from "../../failure.ts";
import type { Root, RootName } from "../expression/root.ts";
import type { Scope } from "../state.ts";
import { ledgerRecord, readLedger } from "./ledger.ts";
import type { Turn } from "./turn.ts";

/** Where an expression is computed, and what it sees besides the run. */
export interface RootPlace {
  /** The path of the scope whose variables it reads. */
  readonly scope: string;
  readonly stepId?: string;
  readonly output?: Json | undefined;
  readonly failures?: Json;
  readonly values?: Json;
}

function scopeAt(turn: Turn, path: string): Scope | undefined {
  return readLedger(turn.context.scopes, path);
}

/** The scopes from the inside out. */
function* scopesFrom(turn: Turn, path: string): Generator<Scope> {
  let at: string | undefined = path;
  while (at !== undefined) {
    const scope: Scope | undefined = scopeAt(turn, at);
    if (scope !== undefined) yield scope;
    at = scope === undefined ? undefined : scope.parent;
  }
}

export function readVariable(turn: Turn, scope: string, name: string): Json | undefined {
  for (const { variables, seed } of scopesFrom(turn, scope)) {
    const value = readLedger(variables, name) ?? (seed === undefined ? undefined : readLedger(seed, name));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** All variables that are seen from a scope; inner ones hide outer ones. */
export function allVariables(turn: Turn, scope: string): { readonly [name: string]: Json } {
  const scopes = [...scopesFrom(turn, scope)].toReversed();
  if (scopes.length === 1 && scopes[0] !== undefined) return ledgerRecord(scopes[0].variables);
  const layers = scopes.flatMap(({ seed, variables }) => (seed === undefined ? [variables] : [seed, variables]));
  return Object.fromEntries(layers.flatMap((layer) => Object.entries(ledgerRecord(layer))));
}

function firstOf(turn: Turn, scope: string, name: "item" | "index" | "error"): Json | undefined {
  for (const inner of scopesFrom(turn, scope)) if (inner[name] !== undefined) return inner[name];
  return undefined;
}

function readError(turn: Turn, scope: string): unknown {
  const { about } = turn.context;
  const own = firstOf(turn, scope, "error");
  if (own !== undefined || about === undefined) return own;
  return { ...about.error, step: about.stepId };
}

type Reader = (turn: Turn, place: RootPlace) => unknown;

const readers: { readonly [Name in RootName]: Reader } = {
  input: (turn) => turn.context.input,
  variables: (turn, place) => allVariables(turn, place.scope),
  output: (_turn, place) => place.output,
  error: (turn, place) => readError(turn, place.scope),
  steps: (turn) => ledgerRecord(turn.context.results),
  item: (turn, place) => firstOf(turn, place.scope, "item"),
  index: (turn, place) => firstOf(turn, place.scope, "index"),
  failures: (_turn, place) => place.failures,
  values: (_turn, place) => place.values,
  workflowName: (turn) => turn.context.about?.workflowName ?? turn.plan.definition.name,
  executionId: (turn) => turn.context.about?.executionId ?? turn.context.executionId,
  stepId: (turn, place) => turn.context.about?.stepId ?? place.stepId,
  startedAt: (turn) => turn.context.startedAt,
  env: (turn) => turn.context.env,
};

/** What `$` is at one place of a run. */
export function rootAt(turn: Turn, place: RootPlace): Root {
  return {
    variable: (name) => readVariable(turn, place.scope, name),
    step: (id) => readLedger(turn.context.results, id),
    read: (name) => readers[name](turn, place),
    now: () => turn.at,
    nextSerial: () => (turn.context.serial += 1),
    executionId: turn.context.executionId,
  };
}
