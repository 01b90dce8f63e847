import { ExpressionProblem } from "./functions.ts";

/**
 * Writes shell text in which values stand as references to environment variables, so that no character of a value is
 * ever read as syntax: the shell does not parse what an expansion gives. What the author of the definition wrote is
 * the syntax; it is followed just far enough to know which quotes a value stands in.
 * Source: POSIX.1-2024, Shell Command Language, 2.2 (quoting) and 2.6 (word expansions).
 */

export type ShellPart = { readonly syntax: string } | { readonly value: string };

/** Hands out `TROUPE_1`, `TROUPE_2` … for the values of one task. */
export interface ShellNames {
  add(value: string): string;
}

/** Longest value that travels in the environment. Source: Linux MAX_ARG_STRLEN is 131,072 bytes with the name. */
export const shellValueMax = 32_000;

/** Programs that read their arguments as syntax once more, wherever these stand. */
const rereads = /(^|[\s;&|(`{/])(eval|ssh|watch|trap)\s/;
/** Shells, and what runs one, when they are told their text as an argument. */
const nestedShell = /(^|[\s;&|(`{/])((\w*sh|su|script|\$\{?SHELL\}?)["']?)\s+([^;|&\n]*\s)?-\w*c\b/;

type Context = "plain" | "single" | "double" | "backtick" | "arithmetic" | "comment";

/** Where in the author's text a value would stand: the innermost open context. */
class ShellReader {
  #open: Context[] = ["plain"];
  #quoted = "";
  isNestedShell = false;

  get context(): Context {
    return this.#open.at(-1) ?? "plain";
  }

  read(syntax: string): void {
    for (let at = 0; at < syntax.length;) at += this.#readOne(syntax, at);
    this.#quoted += syntax;
    const reread = rereads.exec(this.#quoted)?.[2];
    if (reread !== undefined)
      refuse(`\`${reread}\` would read it as syntax; call the command itself, or pass the value by a file`);
    if (nestedShell.test(this.#quoted)) this.isNestedShell = true;
  }

  #close(): number {
    if (this.#open.length > 1) this.#open.pop();
    return 1;
  }

  #enter(context: Context, length: number): number {
    this.#open.push(context);
    return length;
  }

  #readOne(text: string, at: number): number {
    const char = text.charAt(at);
    const { context } = this;
    if (context === "single") return char === "'" ? this.#close() : 1;
    if (context === "comment") return char === "\n" ? this.#close() : 1;
    if (char === "\\") return 2;
    if (text.startsWith("$((", at)) return this.#enter("arithmetic", 3);
    if (context === "arithmetic") return text.startsWith("))", at) ? this.#close() + 1 : 1;
    if (text.startsWith("$(", at)) return this.#enter("plain", 2);
    if (char === "`") return context === "backtick" ? this.#close() : this.#enter("backtick", 1);
    if (char === '"') return context === "double" ? this.#close() : this.#enter("double", 1);
    if (context === "double") return 1;
    return this.#readPlain(text, at);
  }

  #readPlain(text: string, at: number): number {
    const char = text.charAt(at);
    if (char === "'") return this.#enter("single", 1);
    if (char === "(") return this.#enter("plain", 1);
    if (char === ")") return this.#close();
    if (char === "#" && (at === 0 || /\s/.test(text.charAt(at - 1)))) return this.#enter("comment", 1);
    if (text.startsWith("<<", at)) refuse("a here-document takes no values; pass them by a pipe or a file");
    return 1;
  }
}

function refuse(why: string): never {
  throw new ExpressionProblem(`a value cannot stand in this shell command: ${why}`);
}

function checkValue(value: string): void {
  if (value.includes("\0")) refuse("it holds a NUL character");
  if (value.length > shellValueMax)
    refuse(
      `it is ${value.length} characters long, and the environment takes ${shellValueMax}; write it to a file first`,
    );
}

function referTo(name: string, reader: ShellReader): string {
  const { context } = reader;
  if (context === "arithmetic") refuse("arithmetic would compute it as an expression; compute it in the definition");
  if (reader.isNestedShell && (context === "single" || context === "double"))
    refuse("`sh -c` would read it as syntax; pass it as an argument: sh -c 'echo \"$1\"' _ ${$.input.name}");
  if (context === "double") return `\${${name}}`;
  return context === "single" ? `'"\${${name}}"'` : `"\${${name}}"`;
}

/** The command with each value replaced by a reference to its variable, quoted as its place demands. */
export function writeShell(parts: readonly ShellPart[], names: ShellNames): string {
  const reader = new ShellReader();
  let text = "";
  for (const part of parts) {
    if ("syntax" in part) {
      reader.read(part.syntax);
      text += part.syntax;
    } else {
      checkValue(part.value);
      text += referTo(names.add(part.value), reader);
    }
  }
  return text;
}

/** A command that is a value as a whole: its words are a command and its arguments, and nothing in it is syntax. */
export function bareValue(value: string, names: ShellNames): string {
  checkValue(value);
  return `set -f; \${${names.add(value)}}`;
}
