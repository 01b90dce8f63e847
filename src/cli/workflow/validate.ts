import type { Run } from "../command.ts";
import { readDefinitionFile } from "./definition-source.ts";
import { tellFileProblem, type FileProblem } from "../../workflow/load/definition-file.ts";

function bare({ severity: _severity, ...problem }: FileProblem): Omit<FileProblem, "severity"> {
  return problem;
}

export const run: Run = async ({ positionals }, io) => {
  const files = [];
  const lines: string[] = [];
  for (const file of positionals) {
    const { problems, definitions } = await readDefinitionFile(file, io);
    const errors = problems.filter(({ severity }) => severity === "error");
    const warnings = problems.filter(({ severity }) => severity === "warning");
    files.push({ file, ok: errors.length === 0, errors: errors.map(bare), warnings: warnings.map(bare) });
    for (const problem of errors) lines.push(`error   ${tellFileProblem(file, problem)}`);
    for (const problem of warnings) lines.push(`warning ${tellFileProblem(file, problem)}`);
    const names = definitions.map(({ key, version }) => `${key} ${version}`).join(", ");
    lines.push(errors.length === 0 ? `valid   ${file}: ${names}` : `invalid ${file}: ${errors.length} to mend`);
  }
  const ok = files.every((file) => file.ok);
  return { exitCode: ok ? 0 : 1, json: { ok, files }, text: `${lines.join("\n")}\n` };
};
