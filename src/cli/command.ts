import type { ParseArgsConfig } from "node:util";

/** The world a command runs in. */
export interface CommandIo {
  /** Results. With `--json` exactly one document goes here. */
  out(text: string): void;
  /** Progress and logs. */
  err(text: string): void;
  /** Whether progress may rewrite its lines, and colour may be used. */
  readonly isTerminal: boolean;
  readonly cwd: string;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

export type OptionTable = NonNullable<ParseArgsConfig["options"]>;

export interface ParsedArguments {
  readonly values: { readonly [option: string]: string | boolean | (string | boolean)[] | undefined };
  readonly positionals: readonly string[];
}

/** What a command does with its arguments. */
export type Run = (given: ParsedArguments, io: CommandIo) => Promise<CommandResult>;

/** One subcommand, as data: the help page and the parser are made from it before any of its code is there. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  /** A sentence for each option, in the order shown. */
  readonly options: {
    readonly [option: string]: OptionTable[string] & { readonly help: string; readonly value?: string };
  };
  readonly examples: readonly string[];
  /** Fewest and most words after the name. */
  readonly words: readonly [number, number];
  /** Brings what it does: a command line waits for the code of the command that it names, and for no other. */
  load(): Promise<Run>;
}

/** Exit codes: 0 it worked, 1 it ran and failed or stayed undecided, 130 a server was told to stop. 2 is the frame's. */
export interface CommandResult {
  readonly exitCode: 0 | 1 | 130;
  /** The one document of `--json`; undefined where the command has printed it itself. */
  readonly json: unknown;
  /** What a person reads instead. */
  readonly text: string;
}
