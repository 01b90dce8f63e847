import type { Arm, Reading } from "../measuring/arm.ts";
import { cpuMs, wallMs } from "../measuring/clocks.ts";
import { endOther, startOther, type Other } from "./other-process.ts";
import { peers, type PeerName } from "./peers/table.ts";
import { busyCell, cells, oneWayAheadMax, oneWayBytes, type Cell } from "./scales.ts";
import type { Client } from "./wire.ts";

/**
 * Wall milliseconds of many calls at once before anything is measured: one call at a time is too little for a compiler
 * to notice what is worth its while, and the first cell would be one of half-compiled code.
 */
const compileMs = { quick: 1_000, full: 3_000 };
/** Wall milliseconds before each cell is measured, and while it is. */
const warmMs = { quick: 300, full: 500 };
const measuredMs = { quick: 500, full: 1_500 };

interface Spell {
  readonly warmMs: number;
  readonly ms: number;
}

/** What a spell of talking came to, by the wall clock and by the CPU clocks of both processes. */
interface Counted {
  readonly rate: number;
  readonly cpuUs: number;
}

async function countDuring(spell: Spell, other: Other, read: () => number): Promise<Counted> {
  await new Promise((resolve) => setTimeout(resolve, spell.warmMs));
  const [count, wall, cpu] = [read(), wallMs(), cpuMs() + other.cpuMs()];
  await new Promise((resolve) => setTimeout(resolve, spell.ms));
  const done = read() - count;
  return { rate: (done * 1_000) / (wallMs() - wall), cpuUs: ((cpuMs() + other.cpuMs() - cpu) * 1_000) / done };
}

/** Keeps so many calls under way; completions are counted. */
async function roundTrips(client: Client, cell: Cell, other: Other, spell: Spell): Promise<Counted> {
  const payload = "x".repeat(cell.bytes);
  let [done, live] = [0, 0];
  let isOver = false;
  const over = Promise.withResolvers<void>();
  const next = (): void => {
    if (isOver) {
      if (live === 0) over.resolve();
      return;
    }
    live += 1;
    client.call(payload, () => {
      live -= 1;
      done += 1;
      next();
    });
  };
  for (let each = 0; each < cell.inFlight; each += 1) next();
  const counted = await countDuring(spell, other, () => done);
  isOver = true;
  await over.promise;
  return counted;
}

/** Tells as fast as is taken; what the other side has had is counted. */
async function oneWay(client: Client, other: Other, spell: Spell): Promise<Counted> {
  const payload = "x".repeat(oneWayBytes);
  const { tell, told } = client;
  if (tell === undefined || told === undefined) throw new Error("it has no messages without an answer");
  let [sent, had] = [0, 0];
  let isOver = false;
  const telling = (async () => {
    while (!isOver) {
      while (sent - had < oneWayAheadMax && tell(payload)) sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const counting = (async () => {
    while (!isOver) had = await told();
  })();
  const counted = await countDuring(spell, other, () => had);
  isOver = true;
  await Promise.all([telling, counting]);
  return counted;
}

function readingsOf(name: string, { rate, cpuUs }: Counted): [string, Reading][] {
  return [
    [name, { value: rate }],
    [`${name} cpu`, { value: cpuUs }],
  ];
}

/** Round trips and messages a second between two processes, by one way of talking. */
export function talkBy(name: PeerName): Arm {
  return async ({ quick }) => {
    const other = await startOther(name);
    const client = await (await peers[name]()).connect(other.port);
    const spell = { warmMs: quick ? warmMs.quick : warmMs.full, ms: quick ? measuredMs.quick : measuredMs.full };
    const readings: [string, Reading][] = [];
    await roundTrips(client, busyCell, other, { warmMs: 0, ms: quick ? compileMs.quick : compileMs.full });
    for (const cell of cells) readings.push(...readingsOf(cell.name, await roundTrips(client, cell, other, spell)));
    if (client.tell !== undefined) readings.push(...readingsOf("one way", await oneWay(client, other, spell)));
    await endOther(other);
    return Object.fromEntries(readings);
  };
}
