import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { restMs, surveysMax } from "./limits.ts";
import { createPace } from "./pace.ts";
import { type Survey, surveyFolder } from "./survey.ts";

/** Why a folder cannot be examined, as a failure's code, message and data. */
export interface NotAFolder {
  readonly code: "project/not-a-folder";
  readonly message: string;
  readonly data: { readonly folder: string; readonly reason: "missing" | "not-a-folder" | "unreadable" };
}

export type OpenedSurvey =
  | { readonly ok: true; readonly survey: Survey }
  | { readonly ok: false; readonly failure: NotAFolder };

interface Entry {
  readonly survey: Promise<Survey>;
  readonly abandon: AbortController;
  waiting: number;
  done: boolean;
}

const shared = new Map<string, Entry>();
let rest: NodeJS.Timeout | undefined;

/** Frees the memory of texts and trees once nobody has asked for a while; the timer keeps no process alive. */
function restLater(): void {
  clearTimeout(rest);
  rest = setTimeout(() => void forgetAll([...shared.values()].filter((entry) => entry.done)), restMs).unref();
}

async function forgetAll(entries: readonly Entry[]): Promise<void> {
  for (const { survey } of entries) (await survey).forget();
}

/**
 * Opens the survey of a folder for a decision. Everyone who asks about the same folder for the same decision gets
 * the same survey, also after a crash; the walk is abandoned when the last one who waits for it gives up.
 */
export async function openSurvey(folder: string, decisionId: string, signal: AbortSignal): Promise<OpenedSurvey> {
  const found = await findFolder(folder);
  if (!found.ok) return found;
  signal.throwIfAborted();
  const key = `${found.path}\u0000${decisionId}`;
  const entry = shared.get(key) ?? begin(key, found.path);
  shared.delete(key);
  shared.set(key, entry);
  entry.waiting++;
  const leave = Promise.withResolvers<never>();
  const onAbort = (): void => leave.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return { ok: true, survey: await Promise.race([entry.survey, leave.promise]) };
  } finally {
    signal.removeEventListener("abort", onAbort);
    restLater();
    if (--entry.waiting === 0 && !entry.done) {
      entry.abandon.abort(new Error("nobody waits for this survey any more"));
      if (shared.get(key) === entry) shared.delete(key);
    }
  }
}

function begin(key: string, path: string): Entry {
  const abandon = new AbortController();
  const entry: Entry = { survey: surveyFolder(path, createPace(abandon.signal)), abandon, waiting: 0, done: false };
  entry.survey.then(
    () => {
      entry.done = true;
    },
    () => {
      entry.done = true;
      if (shared.get(key) === entry) shared.delete(key);
    },
  );
  void dropOldest();
  shared.set(key, entry);
  return entry;
}

/** Keeps the number of surveys below its limit, and only the newest with its texts and trees in memory. */
async function dropOldest(): Promise<void> {
  const idle = [...shared].filter(([, entry]) => entry.done && entry.waiting === 0);
  for (const [key] of idle.slice(0, Math.max(0, shared.size + 1 - surveysMax))) shared.delete(key);
  await forgetAll(idle.map(([, entry]) => entry));
}

type Found = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly failure: NotAFolder };

async function findFolder(folder: string): Promise<Found> {
  const absolute = resolve(folder);
  try {
    const path = await realpath(absolute);
    if ((await stat(path)).isDirectory()) return { ok: true, path };
    return refuse(folder, "not-a-folder", `${folder} is not a folder; give the folder of a project`);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT" || code === "ENOTDIR")
      return refuse(folder, "missing", `${folder} does not exist; give the folder of a project`);
    return refuse(
      folder,
      "unreadable",
      `${folder} cannot be opened (${code ?? "unknown reason"}); give a folder that can be read`,
    );
  }
}

function refuse(folder: string, reason: NotAFolder["data"]["reason"], message: string): Found {
  return { ok: false, failure: { code: "project/not-a-folder", message, data: { folder, reason } } };
}
