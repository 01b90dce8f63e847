import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import type { Definition } from "../../../machines/workflow/definition.ts";
import { countNodes, drawDefinition } from "../../../machines/workflow/picture/draw.ts";
import { pictureNodesMax, type Picture } from "../../../machines/workflow/picture/picture.ts";
import { TroupeError } from "../../errors.ts";
import type { CommandIo, CommandResult, ParsedArguments } from "../command.ts";
import { readWorkflows } from "./definition-source.ts";

function pictureOf(definition: Definition): Picture {
  const picture = drawDefinition(definition);
  const nodes = countNodes(picture.list);
  if (nodes <= pictureNodesMax) return picture;
  throw new TroupeError(
    "usage/bad-argument",
    `"${definition.key}" has ${nodes} things to draw; at most ${pictureNodesMax} make a picture that can be read: draw its sub-workflows one by one, or use --format xstate`,
  );
}

/** How each format is written; what draws is loaded when it is asked for. */
const formats: { readonly [format: string]: (definition: Definition) => Promise<string> } = {
  mermaid: async (definition) => (await import("../../workflow/picture/mermaid.ts")).toMermaid(pictureOf(definition)),
  svg: async (definition) => (await import("../../workflow/picture/svg.ts")).toSvg(pictureOf(definition)),
  xstate: (definition) => Promise.resolve(`${JSON.stringify(compile(definition).config, undefined, 2)}\n`),
};

function chooseWorkflow(all: readonly Definition[], key: string | undefined): Definition {
  const found = key === undefined ? all[0] : all.find((definition) => definition.key === key);
  if (found !== undefined) return found;
  const keys = all.map((definition) => definition.key).join(", ");
  throw new TroupeError("usage/bad-argument", `--workflow ${key}: the file holds ${keys}`);
}

export async function run({ values, positionals }: ParsedArguments, io: CommandIo): Promise<CommandResult> {
  const [file = ""] = positionals;
  const format = String(values["format"] ?? "mermaid");
  const write = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (write === undefined)
    throw new TroupeError("usage/bad-argument", `--format ${format}: it is one of ${Object.keys(formats).join(", ")}`);
  const { all } = await readWorkflows(file, io);
  const definition = chooseWorkflow(all, values["workflow"] as string | undefined);
  const content = await write(definition);
  const out = values["out"] as string | undefined;
  if (out === undefined) return { exitCode: 0, json: { format, workflow: definition.key, content }, text: content };
  try {
    writeFileSync(resolve(io.cwd, out), content);
  } catch (thrown) {
    throw new TroupeError("usage/bad-file", `${out} cannot be written (${(thrown as Error).message})`);
  }
  return { exitCode: 0, json: { format, workflow: definition.key, file: out }, text: `wrote ${out}\n` };
}
