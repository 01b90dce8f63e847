import { TroupeError } from "../../errors.ts";
import { systemIds } from "../../ports/chance.ts";
import { stderrLog } from "../../ports/log.ts";
import { createTroupe } from "../../troupe/create.ts";
import type { Troupe } from "../../troupe/troupe.ts";
import type { RunHandle } from "../../workflow/run-handle.ts";
import { tellDuration } from "../../workflow/view/history.ts";
import type { RunReport } from "../../workflow/view/run-report.ts";
import type { StepRecord } from "../../workflow/view/steps.ts";
import { loadAgents } from "../agents-module.ts";
import type { CommandIo, CommandResult, ParsedArguments } from "../command.ts";
import { readInput, readSettings, redirectConsole } from "../input.ts";
import { ProgressBoard } from "../progress.ts";
import { defaultStore, prepareStore } from "../store-file.ts";
import { readWorkflows } from "./definition-source.ts";
import { RunProgress } from "./run-progress.ts";

interface Given {
  readonly file: string | undefined;
  readonly resume: string | undefined;
  readonly key: string;
  readonly store: string;
  readonly agents: string | undefined;
  readonly input: unknown;
}

function readGiven({ values, positionals }: ParsedArguments, io: CommandIo): Given {
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const [file] = positionals;
  const resume = text("resume");
  if (file === undefined && resume === undefined)
    throw new TroupeError("usage/bad-argument", "name the file of the workflow, or give --resume with the id of a run");
  if (resume !== undefined && text("key") !== undefined)
    throw new TroupeError("usage/bad-argument", "--resume and --key both name a run; give one of them");
  const settings = readSettings((values["set"] as string[] | undefined) ?? []);
  const input = readInput(text("input"), io);
  if (Object.keys(settings).length > 0 && (typeof input !== "object" || input === null || Array.isArray(input)))
    throw new TroupeError("usage/bad-argument", "--set needs an --input that is an object, or none");
  return {
    file,
    resume,
    key: text("key") ?? systemIds.hex(4),
    store: text("store") ?? defaultStore,
    agents: text("agents"),
    input: Object.keys(settings).length === 0 ? input : { ...(input as object), ...settings },
  };
}

/** Begins the run, or finds the one that has its key or id, and lets it go on where it was held. */
async function begin(troupe: Troupe, given: Given, workflow: string | undefined): Promise<RunHandle> {
  const handle =
    given.resume === undefined
      ? await troupe.run(workflow ?? "", given.input, { key: given.key })
      : await troupe.runs.get(given.resume);
  const report = await handle.status();
  if (workflow !== undefined && report.workflow !== workflow)
    throw new TroupeError(
      "usage/bad-argument",
      `run ${handle.id} is of workflow "${report.workflow}", not "${workflow}"; choose another --key, or run its file`,
    );
  if (report.status === "paused") await handle.resume();
  return handle;
}

function tellResume(given: Given, id: string): string {
  const quote = (word: string): string => (/^[\w./@:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  const parts = [
    "troupe run",
    ...(given.file === undefined ? [] : [quote(given.file)]),
    ...(given.resume === undefined ? ["--key", quote(given.key)] : ["--resume", quote(id)]),
    ...(given.agents === undefined ? [] : ["--agents", quote(given.agents)]),
    ...(given.store === defaultStore ? [] : ["--store", quote(given.store)]),
  ];
  return parts.join(" ");
}

/** Resolves with the end of the run; on Ctrl-C the run is paused durably, and the error says how to go on. */
async function attend(handle: RunHandle, given: Given, io: CommandIo): Promise<void> {
  let hear: () => void = () => {};
  const interrupted = new Promise<"interrupted">((settle) => {
    hear = () => settle("interrupted");
    if (io.signal.aborted) hear();
    io.signal.addEventListener("abort", hear, { once: true });
  });
  const first = await Promise.race([handle.result(), interrupted]);
  io.signal.removeEventListener("abort", hear);
  if (first !== "interrupted") return;
  const paused = await handle.pause();
  // A run that ended in the same moment takes no pause; its result is there.
  if (!paused.ok && (await handle.status()).endTime !== null) return;
  throw new TroupeError(
    "call/cancelled",
    `interrupted; run ${handle.id} is paused and keeps what it has done. Go on with:\n  ${tellResume(given, handle.id)}`,
    { data: { runId: handle.id, key: given.resume === undefined ? given.key : null } },
  );
}

function documentOf(report: RunReport, steps: readonly StepRecord[]): object {
  return {
    runId: report.id,
    workflow: report.workflow,
    version: report.version,
    key: report.key,
    status: report.status,
    output: report.output ?? null,
    ...(report.error === undefined ? {} : { error: report.error }),
    steps,
    metrics: report.metrics,
  };
}

function pageOf(report: RunReport, given: Given): string {
  const { id, workflow, version, status, output, error, metrics } = report;
  const store = given.store === defaultStore ? "" : ` --store ${given.store}`;
  const head = `${workflow} ${version}: ${status} after ${tellDuration(metrics.duration)}, ${metrics.completedSteps} steps, ${metrics.taskCount} tasks`;
  const why = error === undefined ? "" : `${error.code}: ${error.message}\n`;
  const result = output === undefined ? "" : `${JSON.stringify(output, undefined, 2)}\n`;
  return `${result}${why}${head}\nrun ${id} · troupe runs history ${id}${store}\n`;
}

/** Follows a run and its children until told to stop. */
function follow(troupe: Troupe, progress: RunProgress): { close(): Promise<void> } {
  const events = troupe.events({});
  const reading = (async () => {
    for await (const event of events) if (event.runId !== undefined) progress.take(event);
  })();
  return {
    async close() {
      // What was published before the result is read in microtasks; all of them run before this does.
      await new Promise<void>((done) => setImmediate(done));
      await events.return();
      await reading;
    },
  };
}

export async function run(parsed: ParsedArguments, io: CommandIo): Promise<CommandResult> {
  const given = readGiven(parsed, io);
  const source = given.file === undefined ? undefined : await readWorkflows(given.file, io);
  const store = prepareStore(given.store, io.cwd);
  redirectConsole(io);
  const board = new ProgressBoard(io);
  await using troupe = await createTroupe({ store, workflows: { recovers: "named" }, ports: { log: stderrLog } });
  if (given.agents !== undefined)
    for (const agent of await loadAgents(given.agents, io.cwd, troupe))
      await troupe.spawn(agent, { restart: "permanent" });
  for (const definition of source?.all ?? []) await troupe.workflows.define(definition);
  const following = follow(troupe, new RunProgress(board));
  try {
    const handle = await begin(troupe, given, source?.first.key);
    await attend(handle, given, io);
    await following.close();
    board.close();
    const report = await handle.status();
    return {
      exitCode: report.status === "completed" ? 0 : 1,
      json: documentOf(report, await handle.steps()),
      text: pageOf(report, given),
    };
  } finally {
    await following.close();
    board.close();
  }
}
