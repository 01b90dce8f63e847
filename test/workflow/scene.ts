import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTroupe, defineAgent, type Troupe } from "troupe";
import { seededIds } from "troupe/testing";
import { z } from "zod";
import { SqliteStore } from "../../src/store/sqlite/store.ts";
import { defaultShutdownMs } from "../../src/system/supervision.ts";
import type { TroupeOptions } from "../../src/troupe/options.ts";
import { PatientClock } from "./patient-clock.ts";

/** One call that an agent of the scene was given. */
export interface Seen {
  readonly capability: string;
  readonly key: string | undefined;
  readonly input: any;
  readonly runId: string | undefined;
}

/** What a stand-in does with one call; by default it echoes its input. */
export type Doing = (given: {
  readonly input: any;
  readonly key: string | undefined;
  readonly call: number;
  readonly signal: AbortSignal;
  readonly fail: (code: string, message: string) => never;
  readonly spend: (used: { readonly tokens?: number; readonly cost?: number }) => void;
  readonly degrade: (how: { readonly what: string; readonly why: string; readonly severity: "low" }) => void;
}) => unknown;

export interface Scene {
  readonly troupe: Troupe;
  readonly clock: PatientClock;
  readonly seen: Seen[];
  /** Calls of one capability. */
  readonly of: (capability: string) => readonly Seen[];
  /** Closes the troupe, without waiting for agents that never end. */
  readonly close: () => Promise<void>;
}

export interface SceneOptions {
  readonly doing?: { readonly [capability: string]: Doing };
  /** Fields that capabilities declare as shell text. */
  readonly shell?: { readonly [capability: string]: readonly string[] };
  readonly options?: Omit<TroupeOptions, "agents" | "ports">;
  /** Default: a clock that stands still, and waits for the store's thread. */
  readonly clock?: PatientClock | "real";
  readonly concurrency?: number;
  readonly seen?: Seen[];
  readonly spawn?: boolean;
  readonly seed?: number;
}

/** A troupe with one agent whose capabilities record every call and do what the test says. */
export async function setScene({
  doing = {},
  shell = {},
  options = {},
  clock = new PatientClock(),
  concurrency = 64,
  seen = [],
  spawn = true,
  seed = 1,
}: SceneOptions = {}): Promise<Scene> {
  const names = [...new Set(["echo", ...Object.keys(doing)])];
  const counts = new Map<string, number>();
  const capabilities = Object.fromEntries(
    names.map((capability) => [
      capability,
      {
        input: z.any(),
        output: z.any(),
        ...(shell[capability] === undefined ? {} : { shell: shell[capability] }),
        run: ({ input, key, runId, signal, fail, spend, degrade }: any) => {
          const call = (counts.get(capability) ?? 0) + 1;
          counts.set(capability, call);
          seen.push({ capability, key, input, runId });
          return (doing[capability] ?? (() => input))({ input, key, call, signal, fail, spend, degrade });
        },
      },
    ]),
  );
  const standIn = defineAgent({ name: "stand-in", concurrency, capabilities });
  const troupe: Troupe = await createTroupe({
    agents: [standIn],
    ...(clock === "real" ? options : { ...options, ...(await storeUnder(clock, options)) }),
    ports: clock === "real" ? {} : { clock, ids: seededIds(seed) },
  });
  if (spawn) await troupe.spawn(standIn, { restart: "permanent", intensity: { restarts: 1_000 }, ...patience(clock) });
  return {
    troupe,
    clock: clock === "real" ? new PatientClock() : clock,
    seen,
    of: (capability) => seen.filter((each) => each.capability === capability),
    async close() {
      const closing = troupe.close();
      if (clock !== "real") await clock.advance(defaultShutdownMs);
      await closing;
    },
  };
}

/** The store file of these options, opened so that the clock waits for its thread. */
async function storeUnder(
  clock: PatientClock,
  { store, durability }: NonNullable<SceneOptions["options"]>,
): Promise<Pick<TroupeOptions, "store">> {
  if (typeof store !== "string") return {};
  const opened = await SqliteStore.open(store, { clock, ...(durability === undefined ? {} : { durability }) });
  return { store: clock.awaiting(opened) };
}

/** How long an agent may take to stop: none of the real time. */
function patience(clock: PatientClock | "real"): { readonly shutdownMs?: number } {
  return clock === "real" ? { shutdownMs: 1 } : {};
}

/** A folder for a store file, gone with `dispose`. */
export function makeFolder(): { readonly store: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "troupe-workflow-"));
  return {
    store: join(folder, "troupe.db"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A definition of one list of steps. */
export function workflow(key: string, steps: readonly unknown[], rest: object = {}): object {
  return { key, name: `Workflow ${key}`, version: "1.0.0", steps, ...rest };
}

/** A task step; `next` is the step that follows, or the end. */
export function task(id: string, capability: string, rest: object = {}): object {
  return { id, name: `Step ${id}`, type: "task", capability, next: "$end", ...rest };
}

/** Task steps one after the other, each with the output of its capability in a variable of its own. */
export function chain(names: readonly string[], capability = "echo"): object[] {
  return names.map((id, index) =>
    task(id, capability, { input: { step: id }, output: { [id]: "$.output" }, next: names[index + 1] ?? "$end" }),
  );
}

/** Waits until something holds, with the event loop breathing in between. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error("it never came to hold");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
