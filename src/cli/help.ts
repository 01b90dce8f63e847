import type { Command } from "./command.ts";

const common = [
  ["--json", "print exactly one JSON document on standard output"],
  ["--help", "show this page"],
] as const;

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

/** The page of `troupe --help`. */
export function mainHelp(commands: readonly Command[], version: string): string {
  return `troupe ${version}: supervised agents, signed votes, watched from end to end

Usage: troupe <command> [options]

Commands:
${columns(commands.map((command) => [command.name, command.summary]))}

Options:
${columns([...common, ["--version", "print the version"]])}

Exit codes: 0 it worked, 1 it ran and failed or stayed undecided, 2 usage or bad input, 130 interrupted.
"troupe <command> --help" says more about one command.
`;
}

/** The page of `troupe <command> --help`. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, option]) => [`--${name}${option.value === undefined ? "" : ` ${option.value}`}`, option.help] as const,
  );
  return `troupe ${command.name}: ${command.summary}

Usage: ${command.usage}

Options:
${columns([...options, ...common])}

Examples:
${command.examples.map((example) => `  ${example}`).join("\n")}
`;
}
