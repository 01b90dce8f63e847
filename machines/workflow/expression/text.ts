/**
 * Tells what a string of a definition is, without evaluating anything:
 * - it starts with `$.`, `$[` or a backtick, or is one `${…}` and nothing else: an expression as a whole, whose value
 *   keeps its type;
 * - it holds `${…}` with a `$.` inside, or a bare path as `$.input.name`: text with values in it;
 * - else it is just text. `\$` is a dollar sign.
 * Source: docs/guide/workflows.md (expressions).
 */

export type TextPart = { readonly text: string } | { readonly source: string; readonly column: number };

export type StringForm =
  | { readonly form: "literal"; readonly text: string }
  | { readonly form: "expression"; readonly source: string }
  | { readonly form: "text"; readonly parts: readonly TextPart[] };

const barePath = /\$(?:\.[A-Za-z_]\w*|\[(?:\d+|"[^"\\]*"|'[^'\\]*')\])+/y;

function isExpression(text: string): boolean {
  return /^\$[.[]/.test(text) || (text.length > 1 && text.startsWith("`") && text.endsWith("`"));
}

/** The position after the brace that closes the one before `from`, or -1; quotes inside are respected. */
function findClose(text: string, from: number): number {
  let [depth, quote] = [1, ""];
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote !== "") {
      if (char === "\\") at += 1;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "'" || char === "`") quote = char;
    else if (char === "{") depth += 1;
    else if (char === "}" && --depth === 0) return at + 1;
  }
  return -1;
}

function splitParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let literal = "";
  const add = (source: string, column: number): void => {
    if (literal !== "") parts.push({ text: literal });
    literal = "";
    parts.push({ source, column });
  };
  for (let at = 0; at < text.length;) {
    if (text.startsWith("\\$", at)) {
      literal += "$";
      at += 2;
      continue;
    }
    if (text.startsWith("${", at)) {
      const end = findClose(text, at + 2);
      const source = end === -1 ? "" : text.slice(at + 2, end - 1);
      if (/\$[.[]/.test(source)) {
        add(source, at + 3);
        at = end;
        continue;
      }
    }
    barePath.lastIndex = at;
    const [path] = barePath.exec(text) ?? [];
    if (path !== undefined) {
      add(path, at + 1);
      at += path.length;
      continue;
    }
    literal += text.charAt(at);
    at += 1;
  }
  if (literal !== "") parts.push({ text: literal });
  return parts;
}

export function classifyText(text: string): StringForm {
  const trimmed = text.trim();
  if (isExpression(trimmed)) return { form: "expression", source: trimmed };
  if (!text.includes("$")) return { form: "literal", text };
  const parts = splitParts(text);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && "source" in only && text.startsWith("${"))
    return { form: "expression", source: only.source };
  if (parts.some((part) => "source" in part)) return { form: "text", parts };
  return { form: "literal", text: parts.map((part) => ("text" in part ? part.text : "")).join("") };
}

/** The string that reads back as exactly `text`, for values that are not to be understood as expressions. */
export function escapeText(text: string): string | { readonly literal: string } {
  const form = classifyText(text);
  return form.form === "literal" && form.text === text ? text : { literal: text };
}
