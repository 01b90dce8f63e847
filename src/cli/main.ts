import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { ErrorCode, Json } from "../../machines/failure.ts";
import { isTroupeError, TroupeError } from "../errors.ts";
import type { Command, CommandIo, OptionTable, ParsedArguments } from "./command.ts";
import { callCommand } from "./commands/call.ts";
import { decideCommand } from "./commands/decide.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { nodeCommand } from "./commands/node.ts";
import { runCommand } from "./commands/run.ts";
import { runsCommand } from "./commands/runs.ts";
import { graphCommand } from "./commands/graph.ts";
import { validateCommand } from "./commands/validate.ts";
import { verifyCommand } from "./commands/verify.ts";
import { commandHelp, mainHelp } from "./help.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { guardOutput } from "./output.ts";

const commands: readonly Command[] = [
  demoCommand,
  runCommand,
  runsCommand,
  validateCommand,
  graphCommand,
  callCommand,
  nodeCommand,
  decideCommand,
  verifyCommand,
  doctorCommand,
];

/** Interrupted: 128 plus the number of SIGINT, as shells report it. */
const interruptedCode = 130;
const usageCode = 2;

function versionOf(): string {
  const url = new URL("../../package.json", import.meta.url);
  const fallback = new URL("../../../package.json", import.meta.url);
  const read = (from: URL): string => (JSON.parse(readFileSync(from, "utf8")) as { version: string }).version;
  try {
    return read(url);
  } catch {
    return read(fallback);
  }
}

/** Runs the command line and resolves with the exit code. Nothing is thrown to the caller. */
export async function main(argv: readonly string[]): Promise<number> {
  const interrupt = listenForInterrupt();
  const isJson = argv.includes("--json");
  guardOutput(process.stdout, process.stderr);
  const io: CommandIo = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal:
      !isJson && process.stdout.isTTY && process.env["NO_COLOR"] === undefined && process.env["CI"] === undefined,
    cwd: process.cwd(),
    signal: interrupt.signal,
  };
  try {
    return await dispatch(argv, io, isJson);
  } catch (thrown) {
    if (interrupt.signal.aborted) {
      const stopped = {
        code: "call/cancelled",
        message: "interrupted; everything was stopped cleanly",
        data: {},
      } as const;
      // A command that left something to go on with says how.
      report(isTroupeError(thrown, "call/cancelled") ? thrown : stopped, io, isJson);
      return interruptedCode;
    }
    if (!isTroupeError(thrown)) throw thrown;
    report(thrown, io, isJson);
    return thrown.code.startsWith("usage/") ? usageCode : 1;
  } finally {
    interrupt.close();
  }
}

function report(
  problem: { readonly code: ErrorCode; readonly message: string; readonly data: { readonly [key: string]: Json } },
  io: CommandIo,
  isJson: boolean,
): void {
  const { code, message, data } = problem;
  if (isJson) io.out(`${JSON.stringify({ ok: false, failure: { code, message, data } })}\n`);
  else io.err(`troupe: ${message}\n`);
}

async function dispatch(argv: readonly string[], io: CommandIo, isJson: boolean): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.out(mainHelp(commands, versionOf()));
    return 0;
  }
  if (name === "--version") {
    io.out(`${versionOf()}\n`);
    return 0;
  }
  const command = commands.find((each) => each.name === name);
  const known = commands.map((each) => each.name).join(", ");
  if (name.startsWith("-"))
    throw new TroupeError("usage/bad-argument", `name a command before ${name}; there are ${known} (troupe --help)`);
  if (command === undefined) {
    throw new TroupeError("usage/bad-argument", `there is no command "${name}"; there are ${known} (troupe --help)`);
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    io.out(commandHelp(command));
    return 0;
  }
  const given = parse(command, rest);
  const run = await command.load();
  const result = await run(given, io);
  if (result.json !== undefined) io.out(isJson ? `${JSON.stringify(result.json)}\n` : result.text);
  return result.exitCode;
}

function parse(command: Command, args: readonly string[]): ParsedArguments {
  const options: OptionTable = { json: { type: "boolean" } };
  for (const [name, { help: _help, value: _value, ...option }] of Object.entries(command.options))
    options[name] = option;
  const [fewest, most] = command.words;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length < fewest || positionals.length > most) {
      throw new TroupeError(
        "usage/bad-argument",
        `${positionals.length} words after "${command.name}"; usage: ${command.usage}`,
      );
    }
    return { values, positionals };
  } catch (thrown) {
    if (isTroupeError(thrown)) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TroupeError("usage/bad-argument", `${message} (troupe ${command.name} --help)`, { cause: thrown });
  }
}
