import { seededRandom } from "../../src/testing/seeded.ts";

/** Random text of a length, from an alphabet; made so that it has digits and both cases. */
type RandomText = (length: number, alphabet?: string) => string;

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const hexadecimal = "0123456789abcdef";
const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

export function randomOf(seed: number): RandomText {
  const random = seededRandom(seed);
  return (length, alphabet = alphanumeric) => {
    const text = Array.from({ length }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join("");
    return alphabet === alphanumeric ? `${text.slice(0, -3)}a7Z` : text;
  };
}

interface SecretShape {
  readonly name: string;
  readonly make: (random: RandomText) => string;
  /** The parts of it that must not be seen. */
  readonly core: (secret: string) => readonly string[];
}

function whole(secret: string): readonly string[] {
  return [secret];
}

function after(mark: string | RegExp): SecretShape["core"] {
  return (secret) => [
    secret
      .slice(secret.search(mark))
      .replace(mark, "")
      .replace(/["@].*$/s, ""),
  ];
}

export const secretShapes: readonly SecretShape[] = [
  { name: "a GitHub token", make: (random) => `ghp_${random(36)}`, core: whole },
  { name: "a fine-grained GitHub token", make: (random) => `github_pat_${random(60)}`, core: whole },
  { name: "a GitLab token", make: (random) => `glpat-${random(20)}`, core: whole },
  { name: "an npm token", make: (random) => `npm_${random(36)}`, core: whole },
  { name: "a Slack token", make: (random) => `xoxb-${random(12, "0123456789")}-${random(24)}`, core: whole },
  { name: "a Stripe key", make: (random) => `sk_live_${random(24)}`, core: whole },
  { name: "a model provider's key", make: (random) => `sk-ant-api03-${random(40)}`, core: whole },
  { name: "a Hugging Face token", make: (random) => `hf_${random(34)}`, core: whole },
  { name: "an AWS key id", make: (random) => `AKIA${random(16, capitals)}`, core: whole },
  { name: "a Google key", make: (random) => `AIza${random(35)}`, core: whole },
  { name: "a SendGrid key", make: (random) => `SG.${random(22)}.${random(43)}`, core: whole },
  { name: "a JSON web token", make: (random) => `eyJ${random(30)}.${random(120)}.${random(43)}`, core: whole },
  {
    name: "a private key",
    make: (random) => `-----BEGIN RSA PRIVATE KEY-----\n${random(64)}\n${random(64)}\n-----END RSA PRIVATE KEY-----`,
    core: (secret) => secret.split("\n").slice(1, 3),
  },
  { name: "a bearer", make: (random) => `Bearer ${random(24)}`, core: after(/Bearer /) },
  { name: "basic credentials", make: (random) => `Basic ${random(24)}==`, core: after(/Basic /) },
  {
    name: "an Authorization header",
    make: (random) => `Authorization: Custom ${random(24)}`,
    core: after(/Authorization: Custom /),
  },
  { name: "a cookie", make: (random) => `Cookie: sid=${random(24)}`, core: after(/Cookie: sid=/) },
  {
    name: "an address with a password",
    make: (random) => `redis://user:${random(16)}@cache.example.org:6379`,
    core: after(/redis:\/\/user:/),
  },
  {
    name: "an address with a token",
    make: (random) => `https://${random(40, hexadecimal)}@git.example.org/x.git`,
    core: after(/https:\/\//),
  },
  { name: "a setting", make: (random) => `DB_PASSWORD=${random(12)}`, core: after(/DB_PASSWORD=/) },
  { name: "a query", make: (random) => `?access_token=${random(24)}`, core: after(/\?access_token=/) },
  { name: "JSON in a text", make: (random) => `{"apiKey":"${random(24)}"}`, core: after(/\{"apiKey":"/) },
  {
    name: "JSON in JSON",
    make: (random) => `{\\"client_secret\\":\\"${random(24)}\\"}`,
    core: (secret) => [secret.slice(22, 46)],
  },
];

export const secretNames: readonly string[] = [
  "token",
  "accessToken",
  "refresh_token",
  "ID-TOKEN",
  "secret",
  "clientSecret",
  "password",
  "dbPassword",
  "PASSWD",
  "passphrase",
  "authorization",
  "Proxy-Authorization",
  "auth",
  "apiKey",
  "api_key",
  "x-api-key",
  "APIKEY",
  "privateKey",
  "private key",
  "PRIVATE_KEY_PEM",
  "signingKey",
  "accessKeys",
  "cookie",
  "Set-Cookie",
  "cookies",
  "credential",
  "credentials",
  "jwt",
  "otp",
  "csrf",
];

/** Puts a value deep into containers of every kind; each number of the path picks one. */
export function plant(value: unknown, path: readonly number[]): unknown {
  return path.reduce<unknown>((inner, pick) => {
    switch (pick % 6) {
      case 0:
        return { inner, other: pick };
      case 1:
        return [pick, inner, null];
      case 2:
        return new Map([["inner", inner]]);
      case 3:
        return new Set([inner]);
      case 4:
        return Object.assign(new Error("failed"), { inner });
      default:
        return new Holder(inner);
    }
  }, value);
}

class Holder {
  readonly inner: unknown;
  constructor(inner: unknown) {
    this.inner = inner;
  }
}
