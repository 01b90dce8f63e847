import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { TroupeError } from "../../errors.ts";
import type { Log } from "../../ports/log.ts";
import { createTroupe } from "../../troupe/create.ts";
import type { CommandIo, CommandResult, ParsedArguments } from "../command.ts";
import { holdCouncil, seats, type CouncilResult } from "./council.ts";
import { prepareFolder, writeDecision } from "./files.ts";
import { councilPage } from "./page.ts";
import { ProgressBoard } from "../progress.ts";

function readCount(name: string, given: string | undefined): number {
  if (given === undefined) return 0;
  const count = Number(given);
  if (!Number.isInteger(count) || count < 0 || count > seats) {
    throw new TroupeError(
      "usage/bad-argument",
      `--${name} ${given}: give a whole number from 0 to ${seats}, the number of experts`,
    );
  }
  return count;
}

/** The folder to examine. Errors: throws `usage/bad-argument` for a path that is no folder. */
function readFolder(given: string | undefined, io: CommandIo): string {
  if (given === "")
    throw new TroupeError(
      "usage/bad-argument",
      "the path is empty; name a project folder, or leave it out for this one",
    );
  const folder = resolve(io.cwd, given ?? ".");
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined)
    throw new TroupeError(
      "usage/bad-argument",
      `${given ?? folder}: there is no such folder; name a project folder that exists`,
    );
  if (!found.isDirectory())
    throw new TroupeError(
      "usage/bad-argument",
      `${given ?? folder}: this is a file; name the folder that holds the project`,
    );
  return folder;
}

function documentOf(result: CouncilResult, files: ReturnType<typeof writeDecision>, ms: number): unknown {
  const { decision, reports, restarts } = result;
  const { status, option, agreement, confidence, certificate, dissent, evidence } = decision;
  return {
    decision: {
      id: decision.decisionId,
      status,
      option,
      agreement,
      confidence,
      certificate,
      dissent,
      evidence,
      tally: decision.tally,
      absent: decision.absent,
      assumptions: decision.assumptions,
    },
    reports,
    files,
    metrics: { ...decision.metrics, ms, restarts },
  };
}

/** Shows what an operator should read, such as the inspector's address; crashes are on the board already. */
function boardLog(board: ProgressBoard): Log {
  return {
    write(level, message) {
      if (level === "info" || level === "warn") board.say(message);
    },
  };
}

/** The council is quick: an inspector that is being watched stays open until Ctrl-C, which then is no failure. */
async function lingerUntilInterrupt(io: CommandIo): Promise<void> {
  io.err("The council is done. The inspector stays open; Ctrl-C ends it and shows the page.\n");
  // Nothing else may hold the process meanwhile, so a timer does.
  const hold = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    io.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearInterval(hold);
}

export async function run({ values, positionals }: ParsedArguments, io: CommandIo): Promise<CommandResult> {
  const folder = readFolder(positionals[0], io);
  const byzantine = readCount("byzantine", values["byzantine"] as string | undefined);
  const crash = readCount("crash", values["crash"] as string | undefined);
  const out = values["out"] as string | undefined;
  if (out === "") throw new TroupeError("usage/bad-argument", "--out is empty; name a folder");
  if (out !== undefined) prepareFolder(resolve(io.cwd, out));
  const startedAt = performance.now();
  const board = new ProgressBoard(io);
  const isInspected = values["inspect"] === true;
  await using troupe = await createTroupe({ inspect: isInspected, ports: { log: boardLog(board) } });
  board.say(`The council examines ${folder}`);
  try {
    const result = await holdCouncil(troupe, {
      folder,
      byzantine,
      crash,
      signal: io.signal,
      show: (line) => board.show(line),
      say: (text) => board.say(text),
    });
    board.close();
    const into =
      out === undefined ? join(io.cwd, ".troupe", "decisions", result.decision.decisionId) : resolve(io.cwd, out);
    const files = writeDecision(result.decision, into, io.cwd);
    const ms = performance.now() - startedAt;
    if (isInspected && io.isTerminal) await lingerUntilInterrupt(io);
    return {
      exitCode: result.decision.status === "decided" ? 0 : 1,
      json: documentOf(result, files, ms),
      text: councilPage(result, { folder, files, seconds: ms / 1_000 }),
    };
  } finally {
    board.close();
  }
}
