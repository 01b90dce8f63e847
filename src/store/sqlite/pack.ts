import type { Turn } from "../../ports/store.ts";
import { opNumber as op, type Word } from "./ops.ts";

/**
 * Writes a turn as words behind `words`: how many there are, then its operations in the order in which they apply.
 * Between threads a flat list costs a quarter of the objects it stands for.
 */
export function packTurn(turn: Turn, words: Word[]): void {
  const start = words.length;
  words.push(0);
  packConditions(turn, words);
  packFacts(turn, words);
  packTasks(turn, words);
  packWaking(turn, words);
  if (hasRareParts(turn)) packRareParts(turn, words);
  words[start] = words.length - start - 1;
}

function packConditions(turn: Turn, words: Word[]): void {
  const { closeTasks, takeTimers, keys, logs, definitions, createRuns, createEvents } = turn;
  if (closeTasks !== undefined) for (const { id, fence } of closeTasks) words.push(op.closeTask, id, fence);
  if (takeTimers !== undefined) for (const { run, id } of takeTimers) words.push(op.takeTimer, run, id);
  if (keys !== undefined)
    for (const { key, version, value } of keys) {
      if (value === null) {
        if (version !== 0) words.push(op.keyDelete, key, version);
      } else if (version === 0) words.push(op.keyCreate, key, value);
      else words.push(op.keyUpdate, key, version, value);
    }
  if (logs !== undefined)
    for (const { log, at, bodies, expectedSeq } of logs) {
      if (expectedSeq !== undefined) words.push(op.logExpect, log, expectedSeq);
      for (const body of bodies) words.push(op.logAppend, log, at, body);
    }
  if (definitions !== undefined)
    for (const { namespace, key, version, variant, hash, name, body, createdAt } of definitions)
      words.push(op.define, namespace, key, version, variant, hash, name, body, createdAt);
  if (createRuns !== undefined)
    for (const row of createRuns) {
      const { id, namespace, variant, workflow, version, definition, key, parent, parentTask } = row;
      const { status, lane, deadlineAt, createdAt, updatedAt, endedAt, seq, result } = row;
      words.push(op.createRun, id, namespace, variant, workflow, version, definition, key, parent, parentTask);
      words.push(status, lane, deadlineAt, createdAt, updatedAt, endedAt, seq, result);
    }
  if (createEvents !== undefined)
    for (const { namespace, id, variant, event, at, payload } of createEvents)
      words.push(op.createEvent, namespace, id, variant, event, at, payload);
}

function packFacts({ facts, updateRuns }: Turn, words: Word[]): void {
  if (facts !== undefined)
    for (const { run, seq, namespace, variant, at, type, message, mark, body } of facts)
      words.push(op.createFact, run, seq, namespace, variant, at, type, message, mark, body);
  if (updateRuns !== undefined)
    for (const row of updateRuns) {
      const { id, workflow, version, definition, status, deadlineAt, updatedAt, endedAt, seq, result } = row;
      words.push(op.updateRun, id, workflow, version, definition, status, deadlineAt, updatedAt, endedAt, seq, result);
    }
}

function packTasks({ assignTasks, openTasks, dropTasks }: Turn, words: Word[]): void {
  if (assignTasks !== undefined)
    for (const { id, fence, newFence, assignee, leaseUntil } of assignTasks)
      words.push(op.assignTask, id, fence, newFence, assignee, leaseUntil);
  if (openTasks !== undefined)
    for (const row of openTasks) {
      const { id, run, namespace, variant, step, kind, capability, agent } = row;
      const { attempt, lane, fence, assignee, leaseUntil, openedAt, input } = row;
      words.push(op.openTask, id, run, namespace, variant, step, kind, capability, agent);
      words.push(attempt, lane, fence, assignee, leaseUntil, openedAt, input);
    }
  if (dropTasks !== undefined) for (const id of dropTasks) words.push(op.dropTask, id);
}

function packWaking(turn: Turn, words: Word[]): void {
  const { setTimers, dropTimers, openWaits, dropWaits, snapshots, values } = turn;
  if (setTimers !== undefined) for (const { run, id, dueAt } of setTimers) words.push(op.setTimer, run, id, dueAt);
  if (dropTimers !== undefined) for (const { run, id } of dropTimers) words.push(op.dropTimer, run, id);
  if (openWaits !== undefined)
    for (const { run, id, namespace, event } of openWaits) words.push(op.openWait, run, id, namespace, event);
  if (dropWaits !== undefined) for (const { run, id } of dropWaits) words.push(op.dropWait, run, id);
  if (snapshots !== undefined) for (const { run, seq, body } of snapshots) words.push(op.putSnapshot, run, seq, body);
  if (values !== undefined)
    for (const { hash, body, run } of values) words.push(op.putValue, hash, body, op.useValue, run, hash);
}

function hasRareParts(turn: Turn): boolean {
  return (
    turn.eventsDelivered !== undefined ||
    turn.putSchedules !== undefined ||
    turn.dropSchedules !== undefined ||
    turn.putRequests !== undefined ||
    turn.answerRequests !== undefined ||
    turn.dropRequests !== undefined ||
    turn.forgetRuns !== undefined
  );
}

function packRareParts(turn: Turn, words: Word[]): void {
  for (const { namespace, id } of turn.eventsDelivered ?? []) words.push(op.eventDelivered, namespace, id);
  for (const { id, namespace, variant, workflow, spec, input, nextAt } of turn.putSchedules ?? [])
    words.push(op.putSchedule, id, namespace, variant, workflow, spec, input, nextAt);
  for (const id of turn.dropSchedules ?? []) words.push(op.dropSchedule, id);
  for (const { id, at, run, verb, body, answer } of turn.putRequests ?? [])
    words.push(op.putRequest, id, at, run, verb, body, answer);
  for (const { id, answer } of turn.answerRequests ?? []) words.push(op.answerRequest, id, answer);
  for (const id of turn.dropRequests ?? []) words.push(op.dropRequest, id);
  for (const run of turn.forgetRuns ?? []) {
    words.push(op.forgetTasks, run, op.forgetValues, run, op.forgetUses, run, op.forgetFacts, run);
    words.push(op.forgetTimers, run, op.forgetWaits, run, op.forgetSnapshot, run, op.forgetRun, run);
  }
}
