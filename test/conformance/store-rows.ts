import type { FactRow, RunRow, RunUpdate, TaskRow } from "../../src/ports/store-rows.ts";

export const tenant = { namespace: "default", variant: "" };

export function runRow(id: string, over: Partial<RunRow> = {}): RunRow {
  return {
    ...tenant,
    id,
    workflow: "setup",
    version: "1.0.0",
    definition: "d1",
    key: null,
    parent: null,
    parentTask: null,
    status: "running",
    lane: 1,
    deadlineAt: null,
    createdAt: 1_000.5,
    updatedAt: 1_000.5,
    endedAt: null,
    seq: 1,
    result: null,
    ...over,
  };
}

export function factRow(run: string, seq: number, over: Partial<FactRow> = {}): FactRow {
  return { ...tenant, run, seq, at: 1_000 + seq, type: "start", message: null, mark: seq * 7, body: "{}", ...over };
}

export function taskRow(run: string, name: string, over: Partial<TaskRow> = {}): TaskRow {
  return {
    ...tenant,
    id: `${run}/${name}/1/1`,
    run,
    step: name,
    kind: "call",
    capability: "code.review",
    agent: null,
    attempt: 1,
    lane: 1,
    fence: 1,
    assignee: null,
    leaseUntil: null,
    openedAt: 1_000,
    input: '{"path":"."}',
    ...over,
  };
}

export function update(row: RunRow, over: Partial<RunUpdate>): RunUpdate {
  const { id, workflow, version, definition, status, deadlineAt, updatedAt, endedAt, seq, result } = row;
  return { id, workflow, version, definition, status, deadlineAt, updatedAt, endedAt, seq, result, ...over };
}
