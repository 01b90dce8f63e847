import type { Json } from "../../failure.ts";
import type { Start } from "../events.ts";
import type { RunContext } from "../state.ts";
import { emptyLedger, writeLedger } from "./ledger.ts";

/** The context of a run before anything has happened. */
export function firstContext(start: Start): RunContext {
  return {
    executionId: start.executionId,
    phase: "running",
    startedAt: start.at,
    at: start.at,
    input: start.input,
    env: start.env ?? {},
    ...(start.about === undefined ? {} : { about: start.about }),
    scopes: writeLedger(emptyLedger(), "", { variables: emptyLedger<Json>() }),
    active: emptyLedger(),
    fans: emptyLedger(),
    lanes: emptyLedger(),
    results: emptyLedger(),
    visits: emptyLedger(),
    undo: emptyLedger(),
    held: [],
    signals: [],
    serial: 0,
    counts: { stepCount: 0, completedSteps: 0, taskCount: 0, errorCount: 0, retryCount: 0 },
    timers: {},
    rollbacks: 0,
  };
}
