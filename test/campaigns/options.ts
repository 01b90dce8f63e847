import { parseArgs } from "node:util";

/** One option of a campaign's command: a whole number from 1, or one of some names. */
export type OptionPlan = { readonly means: string } & (
  | { readonly standard: number }
  | { readonly names: readonly string[] }
);

interface Given<Plan> {
  readonly ok: true;
  readonly numbers: {
    readonly [Name in keyof Plan]: Plan[Name] extends { readonly standard: number } ? number : never;
  };
  /** What was chosen of names. */
  readonly names: { readonly [name: string]: string | undefined };
}

/** Nothing is to be run: the text is for the user, and the code is the process's. */
interface Told {
  readonly ok: false;
  readonly text: string;
  readonly code: 0 | 2;
}

function describe(command: string, what: string, plan: { readonly [name: string]: OptionPlan }): string {
  const options = Object.entries(plan).map(([name, option]) => {
    const value = "standard" in option ? "N" : option.names.join("|");
    const standard = "standard" in option ? ` (${option.standard})` : "";
    return `  --${name} ${value}\n      ${option.means}${standard}`;
  });
  return [
    `npm run ${command} -- [options]`,
    what,
    ...options,
    "  --help\n      says this, and runs nothing",
    "Numbers are whole and from 1. The last line of standard output is the verdict, as JSON. The exit code is 0 where nothing",
    "was found, 1 where something was, and 2 where the command was not understood.",
    "",
  ].join("\n");
}

/** Reads the options of a campaign's command. */
export function readOptions<const Plan extends { readonly [name: string]: OptionPlan }>(
  { command, what, plan }: { readonly command: string; readonly what: string; readonly plan: Plan },
  args: readonly string[] = process.argv.slice(2),
): Given<Plan> | Told {
  const wrong = (message: string): Told => ({
    ok: false,
    text: `${message}; npm run ${command} -- --help says what there is\n`,
    code: 2,
  });
  let values: { readonly [name: string]: string | boolean | undefined };
  try {
    const known = Object.keys(plan).map((name) => [name, { type: "string" }] as const);
    values = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(known), help: { type: "boolean" } },
    }).values;
  } catch (error) {
    // Node.js adds advice after the first sentence.
    return wrong((error instanceof Error ? error.message : String(error)).split(/\.\s|\.?\n/)[0] ?? "");
  }
  if (values["help"] === true) return { ok: false, text: describe(command, what, plan), code: 0 };
  const numbers: Record<string, number> = {};
  const names: Record<string, string | undefined> = {};
  for (const [name, option] of Object.entries(plan)) {
    const text = values[name] as string | undefined;
    if ("names" in option) {
      if (text !== undefined && !option.names.includes(text))
        return wrong(`--${name} is one of ${option.names.join(", ")}`);
      names[name] = text;
      continue;
    }
    const value = text === undefined ? option.standard : Number(text);
    if (!Number.isSafeInteger(value) || value < 1) return wrong(`--${name} takes a whole number from 1`);
    numbers[name] = value;
  }
  return { ok: true, numbers: numbers as Given<Plan>["numbers"], names };
}

/** Says what a command was told instead of running; gives the exit code. */
export function tell({ text, code }: Told): number {
  (code === 0 ? process.stdout : process.stderr).write(text);
  return code;
}
