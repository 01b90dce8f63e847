import { posix } from "node:path";
import { type Check, countOf, type Finding, measured, notApplicable, type Tools } from "../check.ts";
import { isRecord } from "../project/manifest.ts";
import { scanSyntax, type SyntaxRule } from "../syntax-scan.ts";

const helpers =
  /["'](commander|yargs|yargs\/.*|sade|cac|meow|citty|clipanion|@oclif\/.*|caporal|arg|minimist-options|command-line-usage|cleye|gluegun|@clack\/.*|@stricli\/.*|tyro|optionator|argparse|nopt|dashdash)["']/;
/** Files followed from a command's first file in search of its help. */
const followedMax = 80;

export const commandHelp: Check = {
  id: "command-help",
  title: "whether its commands offer help",
  weight: 1,
  scale: "project",
  async examine(tools) {
    const { manifest } = tools.survey;
    const commands = manifest === undefined ? [] : commandsOf(manifest.data["bin"], manifest.text("name") ?? "");
    if (manifest === undefined || commands.length === 0) return notApplicable("no command");
    const findings: Finding[] = [];
    let seen = 0;
    for (const { name, path } of commands) {
      const offers = await offersHelp(tools, path);
      if (offers === undefined) continue;
      seen++;
      if (!offers)
        findings.push({
          rule: "user-experience/no-help",
          severity: "medium",
          message: `The command ${name} does not seem to know --help.`,
          file: path,
          line: 1,
          figure: `no sign of help in ${path} or what it imports`,
        });
    }
    if (seen === 0) return notApplicable("the commands' files are not here (not built, or binary)");
    return measured(countOf(seen, "command"), findings);
  },
};

function commandsOf(bin: unknown, packageName: string): readonly { name: string; path: string }[] {
  if (typeof bin === "string")
    return [{ name: packageName.split("/").at(-1) ?? packageName, path: posix.normalize(bin) }];
  if (!isRecord(bin)) return [];
  return Object.entries(bin).flatMap(([name, path]) =>
    typeof path === "string" ? [{ name, path: posix.normalize(path) }] : [],
  );
}

/** Follows a command's imports in search of --help or of a library that brings it; undefined when it cannot be told. */
async function offersHelp({ survey, pace }: Tools, start: string): Promise<boolean | undefined> {
  const queue = [start];
  const known = new Set(queue);
  let dead = false;
  for (let head = 0; head < queue.length && head < followedMax; head++) {
    await pace.breathe();
    const file = survey.find(queue[head] as string);
    const source = file === undefined ? undefined : await survey.text(file);
    if (file === undefined || source === undefined) {
      dead = true;
      continue;
    }
    if (
      /--help\b|["'`]help["'`]|\bhelp\s*:|\.help\(|\bshowHelp|printHelp|printUsage|\busage:/i.test(source.text) ||
      helpers.test(source.text)
    )
      return true;
    if (/\b(import|require)\s*\(\s*[^"'\s)]/.test(source.text)) dead = true;
    if (/\b(spawn|execFileSync|execFile|spawnSync)\b/.test(source.text)) dead = true;
    for (const match of source.text.matchAll(/(?:from\s*|import\s*\(\s*|require\s*\(\s*|import\s+)["']([^"']+)["']/g)) {
      const [, module = ""] = match;
      if (!module.startsWith(".")) {
        if (!/^node:|^(fs|path|os|url|util|process|child_process|module|events)$/.test(module)) dead = true;
        continue;
      }
      const base = posix.join(posix.dirname(file.path), module);
      const stem = base.replace(/\.[cm]?js$/, "");
      const next = [
        base,
        ...["js", "mjs", "cjs", "ts", "mts"].flatMap((ending) => [
          `${base}.${ending}`,
          `${stem}.${ending}`,
          `${base}/index.${ending}`,
        ]),
      ].find((path) => survey.find(path) !== undefined);
      if (next === undefined) dead = true;
      else if (!known.has(next)) {
        known.add(next);
        queue.push(next);
      }
    }
  }
  return dead || queue.length > followedMax ? undefined : false;
}

const errorClass = /^(Error|TypeError|RangeError|SyntaxError|URIError|EvalError)$/;

/** Errors that leave whoever meets them without a clue. */
export const messageRules: readonly SyntaxRule[] = [
  {
    id: "user-experience/wordless-error",
    severity: "low",
    message: "The error says nothing: name what was wrong, where, and the way out.",
    hint: /\bthrow\b/,
    match: { kind: "throw_statement", has: { any: [{ pattern: "new $CLASS()" }, { pattern: "$CLASS()" }] } },
    confirm(node) {
      const [, name = "", inner = ""] = /^throw\s+(?:new\s+)?(\w+)\(([^)]*)\)\s*;?$/.exec(node.text()) ?? [];
      return errorClass.test(name) && inner.trim() === "";
    },
  },
  {
    id: "user-experience/cryptic-error",
    severity: "low",
    message: "The error says one word: name what was wrong, where, and the way out.",
    hint: /\bthrow\b/,
    match: { any: [{ pattern: "throw new $CLASS($TEXT)" }] },
    confirm(node) {
      const text = node.getMatch("TEXT");
      if (text?.kind() !== "string" || !errorClass.test(node.getMatch("CLASS")?.text() ?? "")) return false;
      const words = text.text().slice(1, -1).trim();
      return /^(error|fail(ed|ure)?|invalid|oops|bad|wrong|unknown|unexpected|fatal|impossible|nope|assertion|unsupported|whoops|no|\W*)[.!?]*$/i.test(
        words,
      );
    },
  },
  {
    id: "user-experience/thrown-text",
    severity: "medium",
    message: "A bare text is thrown: whoever catches it finds neither a stack nor a kind.",
    hint: /\bthrow\b/,
    match: { any: [{ pattern: "throw $TEXT" }] },
    confirm: (node) => /^(string|template_string)$/.test((node.getMatch("TEXT")?.kind() as string | undefined) ?? ""),
  },
];

export const errorMessages: Check = {
  id: "error-messages",
  title: "what its errors say",
  weight: 1,
  scale: "size",
  examine: async (tools) => await scanSyntax(tools, messageRules),
};
