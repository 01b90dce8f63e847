/**
 * What counts as a secret: by the name it goes by, and by its shape in a text. Pure, and linear in the length of
 * the text for the lengths that `redact.ts` lets through.
 */

/** What stands where a secret stood. */
export const hidden = "[redacted]";

/** Longest name that is judged; the rest of a longer one does not make it more of a secret. */
const nameCharactersMax = 256;
/** Judgements remembered, since the same fields come again and again; beyond it all are forgotten. */
const judgedNamesMax = 4_096;

const secretWord =
  /^(?:auth|jwt|otp|totp|cvv|cvc|csrf|xsrf|bearer|mnemonic|pwd)$|(?:secret|token|credential|cookie|passcode)s?$|password|passwd|passphrase|authorization/;
const joinedKey = /(?:api|private|secret|access|signing|encryption|master)keys?$/;
const keyOwners = new Set(
  "api private secret access signing encryption master session ssh auth service account storage shared webhook".split(
    " ",
  ),
);
const tallyWord =
  /^(?:tokens|counts?|usage|used|limit|max|min|budget|total|left|remaining|price|cost|rate|size|length|input|output|prompt|completion|per)$/;

/** The words of a name, in lower case: "dbPassword", "DB_PASSWORD" and "db-password" have the same. */
function wordsOf(name: string): string[] {
  return name
    .slice(0, nameCharactersMax)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

/** What a name says about what goes by it. */
type Judgement = "secret" | "tally" | "plain";

const judged = new Map<string, Judgement>();

/**
 * Judges a name: `secret` for token, password, authorization, api key, cookie and so on; `tally` for one that counts
 * tokens, as of a language model, such as "maxTokens"; else `plain`.
 */
export function judgeName(name: string): Judgement {
  const known = judged.get(name);
  if (known !== undefined) return known;
  if (judged.size >= judgedNamesMax) judged.clear();
  const words = wordsOf(name);
  const judgement = !words.some(isSecretWord) ? "plain" : countsTokens(words) ? "tally" : "secret";
  if (name.length <= nameCharactersMax) judged.set(name, judgement);
  return judgement;
}

function isSecretWord(word: string, index: number, words: readonly string[]): boolean {
  if (secretWord.test(word) || joinedKey.test(word)) return true;
  return (word === "key" || word === "keys") && keyOwners.has(words[index - 1] ?? "");
}

function countsTokens(words: readonly string[]): boolean {
  return words.some((word) => word === "token" || word === "tokens") && words.some((word) => tallyWord.test(word));
}

interface Shape {
  /** Cheap to look for, and found in every text that has the shape. */
  readonly hint: RegExp;
  readonly pattern: RegExp;
  readonly stand: string;
}

/** Not preceded by a letter or digit: a token begins there, and "task-…" holds no "sk-…". */
const begin = "(?<![A-Za-z0-9])";
/** Something that prose does not have inside a word: a digit, a sign, or a capital in the middle. */
const random = "(?=[\\w.~+/=-]{0,128}?(?:[0-9+/=]|[a-z][A-Z]))";

const prefixed = [
  "gh[pousr]_[A-Za-z0-9]{20,}",
  "github_pat_\\w{20,}",
  "glpat-[\\w-]{16,}",
  "npm_[A-Za-z0-9]{30,}",
  "pypi-[\\w-]{40,}",
  "xox[abeoprs]-[\\w-]{10,}",
  "xapp-[\\w-]{10,}",
  "(?:sk|pk|rk)_(?:live|test)_\\w{10,}",
  "sk-(?=[\\w-]{0,64}?[0-9])[\\w-]{16,}",
  "gsk_[A-Za-z0-9]{20,}",
  "hf_[A-Za-z0-9]{20,}",
  "whsec_[\\w+/=]{10,}",
  "dop_v1_[a-f0-9]{40,}",
  "shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{20,}",
  "(?:AKIA|ASIA)[A-Z0-9]{16}",
  "AIza[\\w-]{30,}",
  "ya29\\.[\\w-]{20,}",
  "SG\\.[\\w-]{16,64}\\.[\\w-]{16,}",
  "AGE-SECRET-KEY-1[A-Z0-9]{20,}",
  "eyJ[\\w-]{8,512}\\.[\\w-]{8,}(?:\\.[\\w-]*){0,3}",
];

const namedSecret = "(?:password|passwd|passphrase|secret|credential|api[-_]?key|access[-_]?key|private[-_]?key)s?";
/** What stands between a name and its value in queries, environment files, JSON and JSON inside JSON. */
const between = `(\\\\?["']?\\s{0,4}[:=]\\s{0,4}\\\\?["']?)`;
const assigned = /[:=]/;
const address = /:\/\//;

const shapes: readonly Shape[] = [
  {
    hint: /-----BEGIN/,
    pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/g,
    stand: hidden,
  },
  {
    hint: assigned,
    pattern: /\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?["']?\s{0,4}[:=]\s{0,4})[^\r\n]+/gi,
    stand: `$1$2${hidden}`,
  },
  { hint: /[\w.-]{14}/, pattern: new RegExp(`${begin}(?:${prefixed.join("|")})`, "g"), stand: hidden },
  {
    hint: /earer|EARER/,
    pattern: new RegExp(`\\b([Bb]earer|BEARER)\\s{1,8}(?:${random}[\\w.~+/=-]{6,}|[\\w.~+/=-]{16,})`, "g"),
    stand: `$1 ${hidden}`,
  },
  {
    hint: /asic|igest|oken/,
    pattern: new RegExp(`\\b([Bb]asic|[Dd]igest|[Tt]oken)\\s{1,8}${random}[\\w.~+/=-]{8,}`, "g"),
    stand: `$1 ${hidden}`,
  },
  {
    hint: address,
    pattern: /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s/?#@:]{0,200}):[^\s/?#@]{1,400}@/gi,
    stand: `$1:${hidden}@`,
  },
  { hint: address, pattern: /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@:]{16,400}@/gi, stand: `$1${hidden}@` },
  {
    hint: assigned,
    pattern: new RegExp(`(${namedSecret})${between}[^\\s"'&,;<>\\\\]{3,}`, "gi"),
    stand: `$1$2${hidden}`,
  },
  {
    hint: assigned,
    pattern: new RegExp(`([Tt]oken|TOKEN|jwt|JWT)${between}${random}[^\\s"'&,;<>\\\\]{8,}`, "g"),
    stand: `$1$2${hidden}`,
  },
];

/** Shortest text that can hold a secret known by its shape. */
const shapeCharactersMin = 8;

/** The text with every secret of a well-known shape taken out of it, and the rest as it was. */
export function hideSecrets(text: string): string {
  if (text.length < shapeCharactersMin) return text;
  let shown = text;
  for (const { hint, pattern, stand } of shapes) if (hint.test(shown)) shown = shown.replace(pattern, stand);
  return shown;
}
