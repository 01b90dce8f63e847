import { depthMax } from "./limits.ts";

/** Why a frame's content is refused before anybody looks at its meaning. */
export type ContentFault = "too deep" | "has a __proto__ key";

/**
 * Whether JSON text nests deeper than `max`, without parsing it. Text that is not JSON may pass: the parser refuses it.
 */
export function nestsDeeper(text: string, max: number = depthMax): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index += 1;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > max) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth -= 1;
  }
  return false;
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
      const fault = findContentFault(item, levels - 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (key === "__proto__") return "has a __proto__ key";
    const fault = findContentFault((value as { readonly [key: string]: unknown })[key], levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
