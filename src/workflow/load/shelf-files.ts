import { randomUUID } from "node:crypto";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { Definition } from "../../../machines/workflow/definition.ts";
import { TroupeError } from "../../errors.ts";
import { loadDefinitionFile, loadDefinitionFolder, tellFileProblem, type LoadOptions } from "./definition-file.ts";
import { tellProblems } from "./told-problems.ts";

/**
 * Every definition of a file, or of a folder and the folders in it.
 * Errors: throws `usage/bad-file` for what cannot be read, `usage/invalid-definition` with everything that is wrong in
 * all of the files.
 */
export async function readDefinitions(path: string, options: LoadOptions): Promise<readonly Definition[]> {
  const place = resolve(path);
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const files = isFolder ? await loadDefinitionFolder(place, options) : [await loadDefinitionFile(place, options)];
  const problems = files.flatMap(({ file, problems: found }) =>
    found.filter(({ severity }) => severity === "error").map((problem) => ({ file, ...problem })),
  );
  if (problems.length === 0) return files.flatMap(({ definitions }) => definitions);
  const told = tellProblems(problems.map((problem) => tellFileProblem(problem.file, problem)));
  throw new TroupeError("usage/invalid-definition", `the workflows cannot be used:${told}`, {
    data: { problems },
  });
}

const formats: ReadonlyMap<string, "json" | "yaml"> = new Map([
  [".json", "json"],
  [".yaml", "yaml"],
  [".yml", "yaml"],
]);

/**
 * Writes a definition in its normal form, as JSON or YAML by the file's ending; a reader sees the old file or the new.
 * Errors: throws `usage/bad-file` for another ending, or when the file cannot be written.
 */
export async function saveDefinition(definition: Definition, file: string): Promise<void> {
  const format = formats.get(extname(file).toLowerCase());
  if (format === undefined)
    throw new TroupeError(
      "usage/bad-file",
      `${file}: a definition is saved as ${[...formats.keys()].join(", ")}; choose one of these endings`,
    );
  const place = resolve(file);
  const draft = `${place}.${randomUUID()}.draft`;
  const { writeDefinition } = await import("./definition-text.ts");
  try {
    await writeFile(draft, writeDefinition(definition, format), { flag: "wx" });
    await rename(draft, place);
  } catch (thrown) {
    await rm(draft, { force: true });
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TroupeError("usage/bad-file", `${file} cannot be written (${why})`, { cause: thrown });
  }
}
