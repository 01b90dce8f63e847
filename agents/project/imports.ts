import type { SyntaxNode } from "./syntax.ts";

/** One import, re-export, require or dynamic import of a module named by a literal. */
export interface ImportFact {
  readonly module: string;
  readonly line: number;
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  /** Runs when called, not when the module is loaded. */
  readonly lazy: boolean;
  /** Local name of the whole module, where it has one. */
  readonly whole: string | undefined;
  /** Local name by imported name. */
  readonly names: ReadonlyMap<string, string>;
}

/** Reads an import from its statement or call; undefined where the module is computed. */
export function readImport(node: SyntaxNode, kind: string): ImportFact | undefined {
  const text = node.text();
  const line = node.range().start.line + 1;
  if (kind === "call_expression") {
    const module = /^(?:require|import)\s*\(\s*(["'`])([^"'`$]+)\1/.exec(text)?.[2];
    if (module === undefined) return undefined;
    const declarator = text.startsWith("require") ? declaratorOf(node) : undefined;
    const pattern = declarator?.field("name")?.text() ?? "";
    const lazy = text.startsWith("import") || insideFunction(node);
    return { module, line, typeOnly: false, lazy, ...readNames(pattern.replaceAll(":", " as ")) };
  }
  const module = /(?:\bfrom\s*|^import\s*)(["'])([^"']+)\1/.exec(text)?.[2];
  if (module === undefined) return undefined;
  const clause = /^(?:import|export)\s+([\s\S]*?)\s*\bfrom\s*["']/.exec(text)?.[1] ?? "";
  const typeOnly = /^type\b(?!\s*(,|from))/.test(clause) || allNamesAreTypes(clause);
  return {
    module,
    line,
    typeOnly,
    lazy: false,
    ...(kind === "import_statement" ? readNames(clause.replace(/^type\s+/, "")) : readNames("")),
  };
}

function allNamesAreTypes(clause: string): boolean {
  const names = /^\{([\s\S]*)\}$/.exec(clause.trim())?.[1];
  if (names === undefined) return false;
  const parts = names.split(",").filter((part) => part.trim() !== "");
  return parts.length > 0 && parts.every((part) => /^\s*type\s/.test(part));
}

/** The declarator of `const x = require("m")` or `const x = require("m").y`. */
function declaratorOf(node: SyntaxNode): SyntaxNode | undefined {
  const parent = node.parent();
  return parent?.kind() === "variable_declarator" ? parent : undefined;
}

function insideFunction(node: SyntaxNode): boolean {
  return node.ancestors().some((ancestor) => /function|method_definition/.test(ancestor.kind() as string));
}

function readNames(clause: string): { whole: string | undefined; names: ReadonlyMap<string, string> } {
  const names = new Map<string, string>();
  const braces = /\{([\s\S]*)\}/.exec(clause);
  for (const part of braces?.[1]?.split(",") ?? []) {
    const [, imported, local] = /^\s*(?:type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?/.exec(part) ?? [];
    if (imported !== undefined) names.set(imported, local ?? imported);
  }
  const outside = braces === null ? clause : clause.replace(braces[0], "");
  const whole = /(?:\*\s*as\s+)?([A-Za-z_$][\w$]*)/.exec(outside)?.[1];
  return { whole, names };
}
