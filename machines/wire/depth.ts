import { depthMax } from "./limits.ts";

/** Why a frame's content is refused before anybody looks at its meaning. */
export type ContentFault = "too deep" | "has a __proto__ key";

/**
 * Whether JSON text nests deeper than `max`, without parsing it. Text that is not JSON may pass: the parser refuses it.
 */
export function nestsDeeper(text: string, max: number = depthMax): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) {
      index = endOfString(text, index);
      if (index === -1) return false;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > max) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth -= 1;
  }
  return false;
}

/** Where the string that begins at a quote ends; -1 where it does not. A quote after an odd run of backslashes is text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

/**
 * Walks a parsed value: it may nest `levels` deep, and no object in it may have an own key `__proto__`, which an
 * unwary copy would turn into the prototype of its target.
 */
export function findContentFault(value: unknown, levels: number = depthMax): ContentFault | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return "too deep";
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item !== "object" || item === null) continue;
      const fault = findContentFault(item, levels - 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  // What came from a parser inherits nothing that could be counted here, so this goes through its own keys only.
  for (const key in value) {
    if (key === "__proto__") return "has a __proto__ key";
    const item = (value as { readonly [key: string]: unknown })[key];
    if (typeof item !== "object" || item === null) continue;
    const fault = findContentFault(item, levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
