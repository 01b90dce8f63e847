import type { CloseCode } from "./close-codes.ts";
import { findContentFault, nestsDeeper } from "./depth.ts";
import { isHotFrame, type Frame } from "./frames.ts";
import { unscannedCharactersMax } from "./limits.ts";
import { coldSchemas } from "./schemas.ts";

/** A frame, or the close code that its sender gets and why. `ignored` is a frame of a later version. */
export type FrameReading =
  | { readonly kind: "frame"; readonly frame: Frame }
  | { readonly kind: "ignored" }
  | { readonly kind: "refused"; readonly code: CloseCode; readonly reason: string };

const ignored: FrameReading = { kind: "ignored" };

export function refuse(reason: string): FrameReading {
  return { kind: "refused", code: 4400, reason };
}

/**
 * Checks what a frame says, whatever codec it came by. What it consists of has been checked: how deep it nests, and that
 * no key of it is `__proto__`. Never throws, whatever the value.
 */
export function checkFrame(value: unknown): FrameReading {
  if (isHotFrame(value)) return { kind: "frame", frame: value };
  if (typeof value !== "object" || value === null) return refuse("a frame is an object");
  const { t } = value as { readonly t?: unknown };
  if (typeof t !== "string") return refuse("a frame names its kind in t");
  if (t.startsWith("x-")) return ignored;
  const schema = coldSchemas.get(t);
  if (schema === undefined)
    return refuse(["M", "A", "I"].includes(t) ? `a frame ${t} is malformed` : "the kind of frame is unknown");
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: "frame", frame: parsed.data };
  const path = parsed.error.issues[0]?.path.map(String).join(".") ?? "";
  return refuse(`a frame ${t} is malformed${path === "" ? "" : ` at ${path}`}`);
}

/** Reads a JSON text frame. Never throws, whatever the text. */
export function readTextFrame(text: string): FrameReading {
  if (text.length > unscannedCharactersMax && nestsDeeper(text)) return refuse("the frame too deep");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("the frame is not JSON");
  }
  const fault = findContentFault(value);
  return fault === undefined ? checkFrame(value) : refuse(`the frame ${fault}`);
}
