import type { SyntaxNode } from "../project/syntax.ts";
import type { SyntaxRule } from "../syntax-scan.ts";

const credentialName =
  /(^|[_\-.]|[a-z])(password|passwd|pwd|secret|api_?key|access_?key|private_?key|auth_?token|access_?token|client_?secret)$/i;
const standIn =
  /example|placeholder|change|your|xxx|dummy|fake|sample|test|mock|default|undefined|null|password|passwd|secret|token|key|auth|credential|none|empty|hidden|redact|<|>|\$\{|\{\{|\*{3}|\.{3}|^[a-z]+([-_.:/ ][a-z]+)*$|^[A-Z]+([-_][A-Z]+)*$|\s|^[a-z]+([A-Z][a-z]+)*$|:\/\/|^[./#@]/i;

/** Bits of information per character, by the frequency of characters. Source: Shannon, 1948. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

/** Random text of this length has more than this entropy; words and names have less. */
const entropyMin = 3;
/** Shorter values are not secrets, in characters. */
const lengthMin = 8;

function looksReal(value: string): boolean {
  return (
    value.length >= lengthMin &&
    value.length <= 200 &&
    !standIn.test(value) &&
    /\d/.test(value) &&
    /[a-z]/i.test(value) &&
    entropyOf(value) >= entropyMin
  );
}

function confirmCredential(node: SyntaxNode): boolean | string {
  const name =
    (node.field("name") ?? node.field("key") ?? node.field("left"))?.text().replace(/^["']|["']$/g, "") ?? "";
  const value = (node.field("value") ?? node.field("right"))?.text().slice(1, -1) ?? "";
  return credentialName.test(name) && looksReal(value) ? `${name} = ${value.length} characters` : false;
}

/** Credentials written into code, and secrets made by guessable chance. */
export const credentialRules: readonly SyntaxRule[] = [
  {
    id: "security/hard-coded-credential",
    severity: "high",
    message:
      "A credential is written into the code: read it from the environment or a secret store, and withdraw this one.",
    hint: /passw|pwd|secret|key|token/i,
    match: {
      any: [
        { kind: "variable_declarator", has: { field: "value", kind: "string" } },
        { kind: "pair", has: { field: "value", kind: "string" } },
        { kind: "assignment_expression", has: { field: "right", kind: "string" } },
      ],
    },
    confirm: confirmCredential,
  },
  {
    id: "security/hard-coded-credential",
    severity: "high",
    message:
      "A credential is written into the code: read it from the environment or a secret store, and withdraw this one.",
    hint: /passw|pwd|secret|key|token/i,
    languages: ["typescript", "tsx"],
    match: { kind: "public_field_definition", has: { field: "value", kind: "string" } },
    confirm: confirmCredential,
  },
  {
    id: "security/guessable-secret",
    severity: "high",
    message: "A secret is made with Math.random, which can be predicted: use crypto.randomBytes or randomUUID.",
    hint: /Math\.random/,
    match: { kind: "variable_declarator", has: { pattern: "Math.random()", stopBy: "end" } },
    confirm: (node) =>
      /(token|secret|password|nonce|salt|otp|session_?id|csrf)$/i.test(node.field("name")?.text() ?? ""),
  },
];
