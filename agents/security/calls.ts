import type { Check } from "../check.ts";
import type { SyntaxNode } from "../project/syntax.ts";
import { type MatchScene, scanSyntax, type SyntaxRule } from "../syntax-scan.ts";
import { credentialRules } from "./credentials.ts";

const fromRequest = /\b(req|request|ctx\.request)\.(params|query|body|url|headers|cookies)\b/;
const cleaned = /sanitiz|purify|escape|encode|trusted|serialize|basename|normalize/i;

/** Whether a value is fixed where it is written: a literal, or literals joined. */
export function isFixed(node: SyntaxNode): boolean {
  const kind = node.kind() as string;
  if (kind === "string" || kind === "number" || kind === "null" || kind === "true" || kind === "false") return true;
  if (kind === "template_string") return !node.children().some((child) => child.kind() === "template_substitution");
  if (kind === "binary_expression" || kind === "parenthesized_expression")
    return node
      .children()
      .filter((child) => child.isNamed())
      .every(isFixed);
  return false;
}

/** Arguments of a call or a construction. */
export function argumentsOf(node: SyntaxNode): readonly SyntaxNode[] {
  return (node.field("arguments")?.children() ?? []).filter((child) => child.isNamed() && child.kind() !== "comment");
}

/** Whether a callee is a function of a module, under whatever local name it was imported. */
function calls(node: SyntaxNode, scene: MatchScene, module: RegExp, functions: readonly string[]): boolean {
  const callee = node.field("function")?.text() ?? "";
  return scene.outline.imports.some(({ module: from, names, whole }) => {
    if (!module.test(from)) return false;
    return functions.some(
      (name) => names.get(name) === callee || (whole !== undefined && callee === `${whole}.${name}`),
    );
  });
}

/** Whether an identifier is a constant of fixed text in the same file. */
function isFixedName(node: SyntaxNode, text: string): boolean {
  if (node.kind() !== "identifier") return false;
  return new RegExp(
    `\\bconst\\s+${node.text().replaceAll("$", "\\$")}\\s*(:\\s*string\\s*)?=\\s*(["'\`])[^"'\`$]*\\2\\s*;?\\s*$`,
    "m",
  ).test(text);
}

const anyCall = { kind: "call_expression" };
const childProcess = /^(node:)?child_process$/;

const shellCommand: SyntaxRule = {
  id: "security/shell-command",
  severity: "high",
  message: "A shell runs a command that is put together at run time: pass an argument list without a shell.",
  hint: /child_process/,
  match: anyCall,
  confirm(node, scene) {
    const [command, ...rest] = argumentsOf(node);
    if (command === undefined || isFixed(command) || isFixedName(command, scene.text)) return false;
    if (calls(node, scene, childProcess, ["exec", "execSync"])) return true;
    const options = rest.at(-1)?.text() ?? "";
    return (
      calls(node, scene, childProcess, ["spawn", "spawnSync", "execFile", "execFileSync"]) &&
      /\bshell:\s*true\b/.test(options)
    );
  },
};

const sqlHead = /^[`"'\s]*(select\b[\s\S]*\bfrom\b|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b)/i;

const sqlFromText: SyntaxRule = {
  id: "security/sql-from-text",
  severity: "high",
  message: "A value is written into an SQL text: bind it as a parameter.",
  hint: /\b(select|insert|update|delete)\b/i,
  match: {
    kind: "call_expression",
    has: {
      field: "arguments",
      kind: "arguments",
      has: {
        any: [{ kind: "template_string", has: { kind: "template_substitution" } }, { kind: "binary_expression" }],
      },
    },
  },
  confirm(node) {
    if (
      !/\.(query|execute|raw|all|run|exec|get|prepare|unsafe|queryRaw\w*|executeRaw\w*|\$queryRawUnsafe|\$executeRawUnsafe)$/.test(
        node.field("function")?.text() ?? "",
      )
    )
      return false;
    const [statement] = argumentsOf(node);
    if (statement === undefined || isFixed(statement) || !sqlHead.test(statement.text())) return false;
    const text = statement.text();
    const inTemplate =
      /(=|<|>|\blike|\bin\s*\(|\bvalues\s*\([^)]*|\blimit|\boffset)\s*['"%(]*\s*\$\{(?![^}]*(\bplaceholders?\b|\bescape|\.length\b|[A-Z_]{3,}\}))/i;
    const inSum = /(=|\blike|\bin\s*\(|\bvalues\s*\([^)]*)\s*['%(]*["'`]\s*\+\s*(?!["'`])/i;
    return inTemplate.test(text) || inSum.test(text);
  },
};

const rules: readonly SyntaxRule[] = [
  shellCommand,
  sqlFromText,
  ...credentialRules,
  {
    id: "security/eval",
    severity: "high",
    message: "Text is run as code by eval: parse the data, or call a function.",
    hint: /\beval\s*\(/,
    match: { pattern: "eval($CODE)" },
    confirm: (node) => !argumentsOf(node).every(isFixed),
  },
  {
    id: "security/code-from-text",
    severity: "medium",
    message:
      "A function is made from text at run time: whoever writes the text runs code, and strict content policies refuse it.",
    hint: /\bFunction\s*\(/,
    match: { any: [{ pattern: "new Function($$$PARTS)" }, { pattern: "Function($$$PARTS)" }] },
    confirm: (node) => !argumentsOf(node).every(isFixed),
  },
  {
    id: "security/html-from-text",
    severity: "medium",
    message: "A value becomes HTML without being cleaned: set text, or clean it first.",
    hint: /innerHTML|outerHTML|insertAdjacentHTML|document\.write/,
    match: {
      any: [
        { pattern: "$E.innerHTML = $VALUE" },
        { pattern: "$E.innerHTML += $VALUE" },
        { pattern: "$E.outerHTML = $VALUE" },
        { pattern: "$E.insertAdjacentHTML($P, $VALUE)" },
        { pattern: "document.write($VALUE)" },
      ],
    },
    confirm(node) {
      const value = node.getMatch("VALUE");
      return (value === null || !isFixed(value)) && !cleaned.test(node.text());
    },
  },
  {
    id: "security/html-from-text",
    severity: "medium",
    message: "A value becomes HTML without being cleaned: render it as text, or clean it first.",
    hint: /dangerouslySetInnerHTML/,
    languages: ["tsx", "javascript"],
    match: { kind: "jsx_attribute", regex: "^dangerouslySetInnerHTML" },
    confirm: (node) => !cleaned.test(node.text()) && !/__html:\s*(["'])[^"']*\1\s*\}/.test(node.text()),
  },
  {
    id: "security/tls-verification-off",
    severity: "high",
    message:
      "The check of the other side's certificate is switched off: anyone on the way can read and change what is sent.",
    hint: /rejectUnauthorized|NODE_TLS_REJECT_UNAUTHORIZED|strictSSL/,
    match: {
      any: [
        { kind: "pair", regex: "^[\"']?(rejectUnauthorized|strictSSL)[\"']?\\s*:\\s*false$" },
        { kind: "assignment_expression", regex: "NODE_TLS_REJECT_UNAUTHORIZED[\"'\\]]*\\s*=\\s*[\"']?0[\"']?$" },
        { kind: "assignment_expression", regex: "\\.(rejectUnauthorized|strictSSL)\\s*=\\s*false$" },
      ],
    },
  },
  {
    id: "security/weak-hash",
    severity: "low",
    message: "MD5 and SHA-1 can be forged: use SHA-256 where anything is to be trusted by it.",
    hint: /createHash\s*\(\s*["'`](md5|sha1|md4)/i,
    match: { pattern: "$C($ALGORITHM)", kind: "call_expression" },
    confirm: (node) =>
      /(^|\.)createHash$/.test(node.field("function")?.text() ?? "") &&
      /^["'`](md5|sha1|md4)["'`]$/i.test(node.getMatch("ALGORITHM")?.text() ?? ""),
  },
  {
    id: "security/weak-cipher",
    severity: "high",
    message: "This cipher or mode can be broken: use AES-GCM or ChaCha20-Poly1305 with a fresh nonce.",
    hint: /create(C|Dec)ipher/,
    match: anyCall,
    confirm(node) {
      const callee = node.field("function")?.text() ?? "";
      if (/(^|\.)create(Cipher|Decipher)$/.test(callee)) return true;
      return (
        /(^|\.)create(Cipher|Decipher)iv$/.test(callee) &&
        /^["'`](des|rc4|rc2|bf|aes-\d+-ecb)/i.test(argumentsOf(node)[0]?.text() ?? "")
      );
    },
  },
  {
    id: "security/path-from-request",
    severity: "high",
    message: "A path comes straight from a request: resolve it and make sure it stays inside the folder served.",
    hint: /\b(req|request)\.(params|query|body|url)/,
    match: anyCall,
    confirm(node) {
      if (
        !/(^|\.)(readFile|readFileSync|createReadStream|writeFile|writeFileSync|unlink|unlinkSync|sendFile|download|rm|rmSync)$/.test(
          node.field("function")?.text() ?? "",
        )
      )
        return false;
      const first = argumentsOf(node)[0]?.text() ?? "";
      return fromRequest.test(first) && !cleaned.test(first);
    },
  },
  {
    id: "security/redirect-from-request",
    severity: "medium",
    message: "A redirect goes where the request says: allow known targets only.",
    hint: /\.redirect\s*\(/,
    match: anyCall,
    confirm: (node) =>
      (node.field("function")?.text() ?? "").endsWith(".redirect") &&
      argumentsOf(node).some((argument) => /^(req|request)\.(query|body|params)\b/.test(argument.text())),
  },
  {
    id: "security/token-algorithm",
    severity: "high",
    message: "A signed token is accepted without a signature.",
    hint: /algorithms?["']?\s*:/,
    match: { kind: "pair", regex: "^[\"']?algorithms?[\"']?\\s*:\\s*(\\[[^\\]]*)?[\"']none[\"']" },
  },
  {
    id: "security/window-privileges",
    severity: "high",
    message: "A window of web content is given the rights of the program.",
    hint: /nodeIntegration|webSecurity|contextIsolation/,
    match: {
      kind: "pair",
      regex: "^(nodeIntegration\\s*:\\s*true|webSecurity\\s*:\\s*false|contextIsolation\\s*:\\s*false)$",
    },
  },
  {
    id: "security/message-to-anyone",
    severity: "low",
    message: "A message is posted to whatever page is there: name the origin.",
    hint: /postMessage\s*\(/,
    match: { any: [{ pattern: "$W.postMessage($M, '*')" }, { pattern: '$W.postMessage($M, "*")' }] },
  },
  {
    id: "security/unsafe-deserialisation",
    severity: "high",
    message: "This library runs code that is hidden in the data it reads.",
    hint: /node-serialize|serialize-to-js|funcster/,
    match: {
      any: [{ kind: "import_statement" }, { pattern: "require($M)" }],
      regex: "[\"'](node-serialize|serialize-to-js|funcster)[\"']",
    },
  },
];

export const securitySyntaxRules = rules;

export const dangerousCalls: Check = {
  id: "dangerous-calls",
  title: "dangerous calls in JavaScript and TypeScript",
  weight: 3,
  scale: "size",
  examine: async (tools) => await scanSyntax(tools, rules),
};
