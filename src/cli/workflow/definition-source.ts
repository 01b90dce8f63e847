import { resolve } from "node:path";
import type { Definition } from "../../../machines/workflow/definition.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import { TroupeError } from "../../errors.ts";
import { loadDefinitionFile, tellFileProblem, type DefinitionFile } from "../../workflow/load/definition-file.ts";
import type { CommandIo } from "../command.ts";

/** Reads a file of definitions in the folder of the command. Errors: throws `usage/bad-file`. */
export async function readDefinitionFile(file: string, io: Pick<CommandIo, "cwd">): Promise<DefinitionFile> {
  const found = await loadDefinitionFile(resolve(io.cwd, file), {
    read: (authored, fallbackKey) => readDefinition(authored, { fallbackKey }),
    importModule: (url) => import(url) as Promise<unknown>,
  });
  return { ...found, file };
}

/**
 * The workflows of a file, the one that the command is about first.
 * Errors: throws `usage/bad-file`, and `usage/invalid-definition` with everything that is wrong.
 */
export async function readWorkflows(
  file: string,
  io: Pick<CommandIo, "cwd">,
): Promise<{ readonly first: Definition; readonly all: readonly Definition[] }> {
  const { definitions, problems } = await readDefinitionFile(file, io);
  const [first] = definitions;
  if (first !== undefined) return { first, all: definitions };
  const errors = problems.filter(({ severity }) => severity === "error");
  throw new TroupeError(
    "usage/invalid-definition",
    errors.map((problem) => tellFileProblem(file, problem)).join("\n") || `${file} holds no workflow`,
    { data: { problems: errors.map((error) => ({ file, ...error })) } },
  );
}
