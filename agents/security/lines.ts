import type { Check } from "../check.ts";
import { type LineRule, scanLines } from "../line-scan.ts";

const python = ["python"];
export const securityLineRules: readonly LineRule[] = [
  {
    id: "security/eval",
    languages: python,
    severity: "medium",
    message: "Text is run as code: parse the data instead.",
    pattern: /(^|[^.\w"'`])(eval|exec)\((?!["'])(?=[^)])/,
    unless: /\bdef\s+(eval|exec)\b|compile\(/,
  },
  {
    id: "security/shell-command",
    languages: python,
    severity: "high",
    message: "A shell runs a command: pass an argument list without a shell.",
    pattern: /\b(subprocess\.\w+|Popen)\(.*\bshell\s*=\s*True/,
    unless: /\((["'])[^"'{]*\1\s*,\s*shell/,
  },
  {
    id: "security/shell-command",
    languages: python,
    severity: "medium",
    message: "A shell runs a command that is put together at run time.",
    pattern: /\bos\.(system|popen)\((?!["'][^"'%{]*["']\s*\))/,
  },
  {
    id: "security/unsafe-deserialisation",
    languages: python,
    severity: "medium",
    message: "Reading this format runs code that is hidden in it: only for data of one's own.",
    pattern: /(^|[^.\w])(c?[pP]ickle|marshal|dill)\.loads?\(/,
  },
  {
    id: "security/unsafe-deserialisation",
    languages: python,
    severity: "high",
    message: "yaml.load without a safe loader builds any object: use safe_load.",
    pattern: /(^|[^.\w])yaml\.load\(/,
    unless: /Safe|BaseLoader/,
    within: /^\s*import yaml\b/m,
  },
  {
    id: "security/tls-verification-off",
    languages: python,
    severity: "high",
    message: "The check of the other side's certificate is switched off.",
    pattern:
      /\b(get|post|put|patch|delete|request|head|Session|Client)\(.*\bverify\s*=\s*False|ssl\._create_unverified_context\(|\bcert_reqs\s*=\s*(ssl\.)?CERT_NONE/,
  },
  {
    id: "security/weak-hash",
    languages: python,
    severity: "low",
    message: "MD5 and SHA-1 can be forged: use SHA-256 where anything is to be trusted by it.",
    pattern: /\bhashlib\.(md5|sha1)\(/,
    unless: /usedforsecurity\s*=\s*False/,
  },
  {
    id: "security/temporary-name",
    languages: python,
    severity: "medium",
    message: "mktemp gives a name that another process can take first: use mkstemp.",
    pattern: /\btempfile\.mktemp\(/,
  },
  {
    id: "security/unbounded-copy",
    languages: ["c", "c++"],
    severity: "medium",
    message: "The copy does not know the size of its target.",
    pattern: /(^|[^\w.>:"])(gets|strcpy|strcat|sprintf|vsprintf)\s*\(/,
    unless: /^\s*(extern|static|char|int|void|#|\*)/,
  },
  {
    id: "security/tls-verification-off",
    languages: ["go"],
    severity: "high",
    message: "The check of the other side's certificate is switched off.",
    pattern: /\bInsecureSkipVerify:\s*true\b/,
  },
  {
    id: "security/shell-command",
    languages: ["go"],
    severity: "medium",
    message: "A shell runs a command that is put together at run time.",
    pattern: /exec\.Command\(\s*"(sh|bash|\/bin\/sh|\/bin\/bash)",\s*"-c",\s*[^"`\s]/,
  },
  {
    id: "security/downloaded-script",
    languages: ["shell"],
    severity: "high",
    message: "What comes from the network is run at once: download, check, then run.",
    pattern: /\b(curl|wget)\b[^|;]*\|\s*(sudo\s+)?(ba|z|da)?sh\b/,
    unless: /^\s*(echo|printf|#)/,
  },
  {
    id: "security/open-permissions",
    languages: ["shell"],
    severity: "medium",
    message: "Everyone may write here.",
    pattern: /\bchmod\s+(-R\s+)?0?777\b/,
  },
  {
    id: "security/shell-command",
    languages: ["perl"],
    severity: "medium",
    message: "A shell runs a command with values written into it: pass a list.",
    pattern: /(^|[\s;(])(system|exec)\s*\(?\s*"[^"]*[$@]\w/,
  },
  {
    id: "security/eval",
    languages: ["perl"],
    severity: "medium",
    message: "Text is run as code.",
    pattern: /(^|[\s;(=])eval\s*\(?\s*["$]/,
    unless: /eval\s*\(?\s*["'](require|use)\b/,
  },
  {
    id: "security/unsafe-deserialisation",
    languages: ["ruby"],
    severity: "medium",
    message: "Reading this format builds any object: only for data of one's own.",
    pattern: /\b(Marshal\.load|YAML\.unsafe_load)\b/,
  },
  {
    id: "security/code-from-request",
    languages: ["php"],
    severity: "high",
    message: "A value of the request reaches a call that runs or includes it.",
    pattern:
      /\b(eval|assert|system|exec|shell_exec|passthru|unserialize|include|require)\s*\(?\s*\$_(GET|POST|REQUEST|COOKIE)/,
  },
];

export const dangerousLines: Check = {
  id: "dangerous-lines",
  title: "dangerous calls in other languages",
  weight: 2,
  scale: "size",
  examine: async (tools) => await scanLines(tools, securityLineRules),
};
