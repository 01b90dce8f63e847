import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Json, Outcome } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import { systemIds } from "../../ports/chance.ts";
import { systemClock } from "../../ports/clock.ts";
import { stderrLog } from "../../ports/log.ts";
import { SqliteStore } from "../../store/sqlite/store.ts";
import { createTroupe } from "../../troupe/create.ts";
import type { Troupe } from "../../troupe/troupe.ts";
import { requestOperation, requestVerbs, type RequestVerb } from "../../workflow/change/requests.ts";
import type { HistoryEntry } from "../../workflow/view/history.ts";
import type { RunReport } from "../../workflow/view/run-report.ts";
import type { CommandIo, CommandResult, ParsedArguments } from "../command.ts";
import { readInput } from "../input.ts";
import { defaultStore } from "../store-file.ts";
import { readWorkflows } from "./definition-source.ts";
import { needsWorker, onHandle, taken } from "./run-verbs.ts";

const readers = ["list", "show", "history", "replay"] as const;
const verbs: readonly string[] = [...readers, ...requestVerbs];

/** The fields of a verb, from the word after the id and the options. */
function bodyOf(
  verb: string,
  { values, positionals }: ParsedArguments,
  io: CommandIo,
): { readonly [name: string]: Json } {
  const word = positionals[2];
  const input = values["input"] as string | undefined;
  const given = input === undefined ? undefined : (readInput(input, io) as Json);
  const need = (what: string): string => {
    if (word === undefined)
      throw new TroupeError("usage/bad-argument", `name the ${what}: troupe runs ${verb} <id> <${what}>`);
    return word;
  };
  if (verb === "signal") return { name: need("signal"), payload: given ?? null };
  if (verb === "fork") return { step: need("step") };
  if (verb === "migrate") return { version: need("version") };
  if (verb === "patch") {
    if (!Array.isArray(given))
      throw new TroupeError(
        "usage/bad-argument",
        'patch needs --input \'[{"op":"replace","path":["name"],"value":1}]\'',
      );
    return { patches: given };
  }
  if (verb === "resume" && given !== undefined) return { input: given };
  if (verb !== "stop") return {};
  return {
    compensate: values["compensate"] === true,
    reason: (values["reason"] as string | undefined) ?? "by the command",
  };
}

function clockTime(at: number): string {
  return new Date(at).toISOString().replace("T", " ").slice(0, 19);
}

function historyPage(entries: readonly HistoryEntry[]): string {
  return entries.map(({ at, text }) => `${clockTime(at)}  ${text.join("\n                     ")}\n`).join("");
}

function showPage(report: RunReport): string {
  const { id, workflow, version, key, status, currentSteps, error, output } = report;
  const lines = [
    `run ${id} of ${workflow} ${version}: ${status}${key === null ? "" : `, key ${key}`}`,
    `began ${clockTime(report.startTime)}, changed ${clockTime(report.updatedAt)}`,
    ...currentSteps.map(
      (step) => `${step.path}: ${step.status}${step.waitsFor === undefined ? "" : ` for ${step.waitsFor}`}`,
    ),
    ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
    ...(output === undefined ? [] : [JSON.stringify(output, undefined, 2)]),
  ];
  return `${lines.join("\n")}\n`;
}

async function listRuns(troupe: Troupe): Promise<CommandResult> {
  const runs = await troupe.runs.list();
  const lines = runs.map(
    ({ id, workflow, version, status, key, startTime }) =>
      `${id}  ${status.padEnd(9)}  ${clockTime(startTime)}  ${workflow} ${version}${key === null ? "" : `  key ${key}`}\n`,
  );
  return { exitCode: 0, json: runs, text: lines.join("") || "no runs\n" };
}

async function read(troupe: Troupe, verb: string, parsed: ParsedArguments, io: CommandIo): Promise<CommandResult> {
  const [, id = "", file] = parsed.positionals;
  if (verb === "list") return listRuns(troupe);
  if (verb === "replay") {
    if (file === undefined)
      throw new TroupeError("usage/bad-argument", "name the definition: troupe runs replay <id> <file>");
    const [report] = await troupe.runs.replay([id], (await readWorkflows(file, io)).first);
    const differs = report?.divergences ?? [];
    const lines = differs.map(({ seq, type, message }) => `fact ${seq} (${type}): ${message}\n`);
    return {
      exitCode: differs.length === 0 ? 0 : 1,
      json: report,
      text: lines.join("") || `the history of run ${id} goes the same way under ${file}\n`,
    };
  }
  const handle = await troupe.runs.get(id);
  if (verb === "history") {
    const entries = await handle.history();
    return { exitCode: 0, json: entries, text: historyPage(entries) };
  }
  const report = await handle.status();
  return { exitCode: 0, json: { ...report, steps: await handle.steps() }, text: showPage(report) };
}

function toResult(verb: RequestVerb, id: string, outcome: Outcome<unknown>, isOwner: boolean): CommandResult {
  if (!outcome.ok) return { exitCode: 1, json: outcome, text: `${outcome.failure.code}: ${outcome.failure.message}\n` };
  const what = verb === "fork" ? ` ${String(outcome.value)}` : "";
  const on = verb === "fork" ? String(outcome.value) : id;
  const next = isOwner && needsWorker.has(verb) ? `work on it with: troupe run --resume ${on} --agents <module>\n` : "";
  return { exitCode: 0, json: { ...outcome, runId: id, verb }, text: `run ${id} ${taken[verb]}${what}\n${next}` };
}

export async function run(parsed: ParsedArguments, io: CommandIo): Promise<CommandResult> {
  const [verb = "", id] = parsed.positionals;
  if (!verbs.includes(verb))
    throw new TroupeError("usage/bad-argument", `runs ${verb}: there is no such verb; there are ${verbs.join(", ")}`);
  if (id === undefined && verb !== "list")
    throw new TroupeError("usage/bad-argument", `name the run: troupe runs ${verb} <id>; troupe runs list shows them`);
  const body = bodyOf(verb, parsed, io);
  const path = resolve(io.cwd, (parsed.values["store"] as string | undefined) ?? defaultStore);
  if (!existsSync(path))
    throw new TroupeError("usage/bad-file", `${path}: there is no store; give --store, or run a workflow first`);
  const ports = { clock: systemClock, ids: systemIds };
  await using store = await SqliteStore.open(path, { beside: true, clock: systemClock });
  await using troupe = await createTroupe({ store, workflows: { isWorking: false }, ports: { log: stderrLog } });
  const isChange = (name: string): name is RequestVerb => (requestVerbs as readonly string[]).includes(name);
  // Awaited here: what is in use is closed when this function returns.
  if (!isChange(verb) || id === undefined) return await read(troupe, verb, parsed, io);
  const outcome = store.isOwner
    ? await onHandle[verb](await troupe.runs.get(id), body)
    : await requestOperation(store, ports, { run: id, verb, body });
  return toResult(verb, id, outcome, store.isOwner);
}
