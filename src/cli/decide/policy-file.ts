import { TroupeError } from "../../errors.ts";
import type { DecideOptions } from "../../troupe/decide.ts";

/** What a policy file may hold: `decide`'s options other than question, options and voters. */
export type FilePolicy = Omit<DecideOptions, "question" | "options" | "voters" | "signal" | "execute">;

const policyFields = {
  mode: "text",
  context: "object",
  constraints: "list",
  onAlternatives: "text",
  maxRounds: "number",
  decisionId: "text",
  epoch: "number",
  method: "text",
  prefer: "text",
  threshold: "share",
  participation: "share",
  minBallots: "number",
  confidence: "object",
  diversity: "object",
  defaultOption: "text",
  maxFaultyWeight: "number",
  timeoutMs: "number",
  close: "text",
  secrecy: "text",
} as const satisfies Record<keyof FilePolicy, "text" | "object" | "list" | "number" | "share">;

const formWords = {
  text: "a text",
  object: "an object",
  list: "a list",
  number: "a number",
  share: 'a share such as ">2/3", "67%" or 0.67',
} as const;

function isOfForm(value: unknown, form: (typeof policyFields)[keyof typeof policyFields]): boolean {
  switch (form) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "list":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "share":
      return ["string", "number", "object"].includes(typeof value) && value !== null;
  }
}

/** Checks names and forms; the values are judged where they are used. Errors: throws `usage/bad-file` naming the field. */
export function readPolicy(file: string, value: unknown): FilePolicy {
  if (!isOfForm(value, "object")) throw new TroupeError("usage/bad-file", `${file}: a policy is a JSON object`);
  for (const [name, given] of Object.entries(value as object)) {
    const form = Object.hasOwn(policyFields, name) ? policyFields[name as keyof FilePolicy] : undefined;
    if (form === undefined) {
      const known = Object.keys(policyFields).join(", ");
      throw new TroupeError("usage/bad-file", `${file}: ${name}: no such field of a policy; there are ${known}`);
    }
    if (!isOfForm(given, form))
      throw new TroupeError("usage/bad-file", `${file}: ${name}: it must be ${formWords[form]}`);
  }
  return value as FilePolicy;
}
