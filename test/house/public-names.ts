import { posix } from "node:path";
import type { Comment, Program } from "oxc-parser";
import { parseSource, type SourceFile } from "./source-files.ts";

/** One name of a door, where it is declared, and the doc comment above it; empty where there is none. */
export interface PublicName {
  readonly name: string;
  readonly file: string;
  readonly comment: string;
}

type Statement = Program["body"][number];

interface Found {
  readonly file: string;
  readonly name: string;
}

function nameOf(node: { type: string; name?: string; value?: unknown }): string {
  return node.name ?? String(node.value);
}

function declaredNames(node: Statement): string[] {
  const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
  if (declaration === null) return [];
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  }
  const { id } = declaration as { id?: { name?: string } | null };
  return id?.name === undefined ? [] : [id.name];
}

function commentAbove(file: SourceFile, comments: readonly Comment[], start: number): string {
  const above = comments.findLast((comment) => comment.end <= start);
  const adjacent = above !== undefined && file.text.slice(above.end, start).trim() === "";
  return adjacent && above.type === "Block" && above.value.startsWith("*") ? above.value : "";
}

/** Follows re-exports and imports from a door to the files that declare what it names. */
export class Doors {
  readonly #files: ReadonlyMap<string, SourceFile>;
  readonly #parsed = new Map<string, ReturnType<typeof parseSource>>();

  constructor(files: readonly SourceFile[]) {
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  /** Every name that the door exports; throws where one leads nowhere. */
  readNames(door: string): PublicName[] {
    const names = this.#open(door).program.body.flatMap((node) => {
      if (node.type !== "ExportNamedDeclaration") return [];
      return [...declaredNames(node), ...node.specifiers.map((specifier) => nameOf(specifier.exported))];
    });
    return names.map((name) => {
      const found = this.#follow({ file: door, name });
      return { name, file: found.file, comment: this.#commentOf(found) };
    });
  }

  #open(path: string): ReturnType<typeof parseSource> {
    const known = this.#parsed.get(path);
    if (known !== undefined) return known;
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`${path} is exported from but does not exist`);
    const parsed = parseSource(file);
    this.#parsed.set(path, parsed);
    return parsed;
  }

  #follow({ file, name }: Found): Found {
    const { body } = this.#open(file).program;
    if (body.some((node) => declaredNames(node).includes(name))) return { file, name };
    for (const node of body) {
      if (node.type === "ExportNamedDeclaration") {
        const specifier = node.specifiers.find((entry) => nameOf(entry.exported) === name);
        if (specifier === undefined) continue;
        const local = nameOf(specifier.local);
        if (node.source !== null) return this.#step(file, node.source.value, local);
        if (local !== name) return this.#follow({ file, name: local });
      } else if (node.type === "ImportDeclaration") {
        const specifier = node.specifiers.find((entry) => entry.local.name === name);
        if (specifier?.type === "ImportSpecifier")
          return this.#step(file, node.source.value, nameOf(specifier.imported));
      }
    }
    throw new Error(`${file} exports ${name}, which is declared nowhere`);
  }

  #step(from: string, specifier: string, name: string): Found {
    return this.#follow({ file: posix.join(posix.dirname(from), specifier), name });
  }

  #commentOf({ file, name }: Found): string {
    const { program, comments } = this.#open(file);
    const source = this.#files.get(file);
    const node = program.body.find((entry) => declaredNames(entry).includes(name));
    return node === undefined || source === undefined ? "" : commentAbove(source, comments, node.start);
  }
}
