import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor, type Program } from "oxc-parser";

/** The folder of package.json. */
export const rootFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const topFolders = ["machines", "src", "agents", "examples", "test", "bench", "bin", "docs"];
const skippedFolders = new Set(["node_modules", "dist", "fixtures", "peers"]);

/** One import as written: `lazy` is `await import(…)`, `typeOnly` leaves no trace at run time. */
export interface Import {
  /** Undefined where the argument of `import(…)` is computed. */
  readonly specifier: string | undefined;
  readonly lazy: boolean;
  readonly typeOnly: boolean;
  /** Imported names as the other module calls them; "*" for a namespace. */
  readonly names: readonly string[];
}

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

function walk(folder: string, found: string[]): string[] {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !skippedFolders.has(entry.name)) walk(path, found);
    else if (entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name)) found.push(path);
  }
  return found;
}

/** Every TypeScript and JavaScript file of the house, fixtures and other people's code left out. */
export function readSourceFiles(folders: readonly string[] = topFolders): SourceFile[] {
  const present = new Set(readdirSync(rootFolder));
  return folders
    .filter((folder) => present.has(folder.split("/")[0] ?? ""))
    .flatMap((folder) => walk(join(rootFolder, folder), []))
    .map((path) => ({
      path: relative(rootFolder, path).split(sep).join("/"),
      text: readFileSync(path, "utf8"),
    }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Parses one file; a file that does not parse is an error, never an empty answer. */
export function parseSource(file: SourceFile): ReturnType<typeof parseSync> {
  const parsed = parseSync(file.path, file.text, { sourceType: "module" });
  const error = parsed.errors[0];
  if (error !== undefined) throw new Error(`${file.path} does not parse: ${error.message}`);
  return parsed;
}

function staticImports(program: Program): Import[] {
  const found: Import[] = [];
  for (const node of program.body) {
    if (node.type === "ImportDeclaration") {
      const names = node.specifiers.map((specifier) => {
        if (specifier.type === "ImportNamespaceSpecifier") return { name: "*", typeOnly: false };
        if (specifier.type === "ImportDefaultSpecifier") return { name: "default", typeOnly: false };
        const { imported } = specifier;
        return {
          name: imported.type === "Literal" ? imported.value : imported.name,
          typeOnly: specifier.importKind === "type",
        };
      });
      const typeOnly = node.importKind === "type" || (names.length > 0 && names.every((name) => name.typeOnly));
      const values = names.filter((name) => typeOnly || !name.typeOnly).map((name) => name.name);
      found.push({ specifier: node.source.value, lazy: false, typeOnly, names: values });
    } else if (node.type === "ExportAllDeclaration") {
      found.push({ specifier: node.source.value, lazy: false, typeOnly: node.exportKind === "type", names: ["*"] });
    } else if (node.type === "ExportNamedDeclaration" && node.source !== null) {
      found.push({ specifier: node.source.value, lazy: false, typeOnly: node.exportKind === "type", names: [] });
    }
  }
  return found;
}

/** Every import of a file: static, re-exported, lazy, and `import("…")` in a type. */
export function readImports(file: SourceFile): Import[] {
  const { program } = parseSource(file);
  const found = staticImports(program);
  new Visitor({
    ImportExpression(node) {
      const literal = node.source.type === "Literal" && typeof node.source.value === "string";
      found.push({
        specifier: literal ? String((node.source as { value: unknown }).value) : undefined,
        lazy: true,
        typeOnly: false,
        names: [],
      });
    },
    TSImportType(node) {
      found.push({ specifier: node.source.value, lazy: false, typeOnly: true, names: [] });
    },
  }).visit(program);
  return found;
}
