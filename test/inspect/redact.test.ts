import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  redact,
  redactText,
  shownBytesMax,
  shownCharactersMax,
  shownDepthMax,
  shownItemsMax,
  shownKeysMax,
} from "../../src/inspect/redact.ts";
import { hideSecrets, judgeName } from "../../src/inspect/secrets.ts";
import { plant, randomOf, secretNames, secretShapes } from "./planted-secrets.ts";

describe("names of secrets", () => {
  test.each(secretNames)("%s hides what goes by it", (name) => {
    expect(judgeName(name)).toBe("secret");
    expect(redact({ [name]: "opaque value" })).toEqual({ [name]: "[redacted]" });
    expect(redact({ [name]: { deep: ["opaque value"] } })).toEqual({ [name]: "[redacted]" });
    expect(redact({ [name]: 4711 })).toEqual({ [name]: "[redacted]" });
  });

  test.each([
    "name",
    "author",
    "monkey",
    "key",
    "keyboard",
    "primaryKey",
    "publicKey",
    "idempotencyKey",
    "tokenizer",
    "secretary",
    "passenger",
    "sessionId",
    "cookiecutter",
    "authored",
  ])("%s hides nothing", (name) => {
    expect(redact({ [name]: "plain value" })).toEqual({ [name]: "plain value" });
  });

  test("counts of tokens are not tokens", () => {
    const use = { maxTokens: 4_096, tokenCount: 12, tokens: { input: 100, output: 20 }, totalTokens: 120 };
    expect(redact(use)).toEqual(use);
    expect(redact({ tokens: ["a-secret-one"], maxTokens: "not a number", tokens2: { input: "text" } })).toEqual({
      tokens: "[redacted]",
      maxTokens: "[redacted]",
      tokens2: { input: "text" },
    });
  });

  test("that there is no secret, or whether there is one, may be seen", () => {
    const plain = { password: null, hasToken: true, apiKey: "" };
    expect(redact(plain)).toEqual(plain);
  });

  test("a name and its value may stand side by side", () => {
    expect(redact(["authorization", "opaque", "host", "example.org"])).toEqual([
      "authorization",
      "[redacted]",
      "host",
      "example.org",
    ]);
    expect(redact([["x-api-key", "opaque"]])).toEqual([["x-api-key", "[redacted]"]]);
    expect(redact({ name: "Authorization", value: "opaque" })).toEqual({ name: "Authorization", value: "[redacted]" });
    expect(redact(new Map([["password", "opaque"]]))).toEqual({ password: "[redacted]" });
    expect(redact(new Map([[{ id: 1 }, "kept"]]))).toEqual([[{ id: 1 }, "kept"]]);
  });
});

describe("shapes of secrets", () => {
  test.each(secretShapes.map(({ name, make }) => [name, make(randomOf(1))] as const))(
    "%s is taken out of a text, and the text stays",
    (_name, secret) => {
      const shown = hideSecrets(`It said: ${secret} (and went on).`);
      expect(shown).toContain("[redacted]");
      expect(shown).toMatch(/^It said: /);
      expect(shown).not.toContain(secret);
    },
  );

  test.each([
    "A bearer of good news, a basic understanding, a token gesture.",
    "Unexpected token: foo",
    "task-management-for-small-teams-2024",
    "https://example.org:8080/path@2",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "4f9b2e51-7f2e-4a53-8b1a-6c1d1c1f5a90",
  ])("prose and identifiers stay: %s", (text) => {
    expect(hideSecrets(text)).toBe(text);
  });

  test("the password of an address goes, its host stays", () => {
    expect(hideSecrets("postgres://troupe:hunter2@db.example.org/main")).toBe(
      "postgres://troupe:[redacted]@db.example.org/main",
    );
  });

  test("a secret that lies across the cut of a long text is not shown in part", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...secretShapes),
        fc.integer({ min: 0, max: 80 }),
        fc.nat(),
        ({ make, core }, back, seed) => {
          const secret = make(randomOf(seed));
          const text = `${"x ".repeat(shownCharactersMax / 2).slice(0, shownCharactersMax - back - 1)} ${secret} ${"y ".repeat(2_000)}`;
          const shown = redactText(text);
          expect(shown.length).toBeLessThan(shownCharactersMax + 64);
          for (const part of core(secret)) expect(shown).not.toContain(part.slice(0, 10));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("large and odd values", () => {
  test("long strings, lists, records and nests are cut with a note", () => {
    expect(redact("a".repeat(10_000))).toBe(`${"a".repeat(shownCharactersMax)}…[cut: 10000 characters in all]`);
    const list = redact(Array.from({ length: 1_000 }, (_, index) => index)) as unknown[];
    expect(list).toHaveLength(shownItemsMax + 1);
    expect(list.at(-1)).toBe("[cut: 1000 items in all]");
    const record = redact(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, index])));
    expect(Object.keys(record as object)).toHaveLength(shownKeysMax + 1);
    expect(record).toMatchObject({ "(cut)": "1000 fields in all" });
    let nest: unknown = { a: 1, b: 2 };
    for (let depth = 0; depth < shownDepthMax; depth += 1) nest = [nest];
    expect(JSON.stringify(redact(nest))).toContain("[object of 2 fields]");
  });

  test("a sparse list of a billion places takes no time", () => {
    const sparse: unknown[] = [];
    sparse[1_000_000_000] = 1;
    expect(redact(sparse)).toHaveLength(shownItemsMax + 1);
  });

  test("values that JSON does not have are shown in words", () => {
    const circle: Record<string, unknown> = { name: "circle" };
    circle["self"] = circle;
    class Account {
      readonly owner = "Ada";
      readonly password = "hunter2";
    }
    const error = new TypeError("no such user: token=abcDEF123456");
    expect(
      redact({
        circle,
        big: 12n,
        run: () => 1,
        symbol: Symbol("s"),
        nan: Number.NaN,
        date: new Date(0),
        bad: new Date(Number.NaN),
        pattern: /x/,
        set: new Set([1, 2]),
        bytes: new Uint8Array(3),
        promise: Promise.resolve(1),
        absent: undefined,
        account: new Account(),
        error: new Error("outer", { cause: error }),
        aborted: new DOMException("too late", "AbortError"),
        address: new URL("https://user:pass@example.org/x"),
        list: [undefined, null],
      }),
    ).toEqual({
      circle: { name: "circle", self: "[circular]" },
      big: "12n",
      run: "[function]",
      symbol: "Symbol(s)",
      nan: "NaN",
      date: "1970-01-01T00:00:00.000Z",
      bad: "[invalid date]",
      pattern: "[pattern]",
      set: [1, 2],
      bytes: "[3 bytes]",
      promise: "[promise]",
      account: { "(class)": "Account", owner: "Ada", password: "[redacted]" },
      error: {
        "(class)": "Error",
        message: "outer",
        cause: { "(class)": "TypeError", message: "no such user: token=[redacted]" },
      },
      aborted: "AbortError: too late",
      address: "https://user:[redacted]@example.org/x",
      list: [null, null],
    });
  });

  test("no code of the value runs: neither getters, nor toJSON, nor the traps of a proxy", () => {
    let ran = 0;
    const value = {
      get field() {
        ran += 1;
        throw new Error("hostile");
      },
      toJSON() {
        ran += 1;
        return "x";
      },
      proxy: new Proxy({}, { ownKeys: () => ((ran += 1), []), get: () => (ran += 1) }),
      list: Object.defineProperty([1], "0", { get: () => (ran += 1) }),
    };
    expect(redact(value)).toEqual({
      field: "[getter]",
      toJSON: "[function]",
      proxy: "[proxy]",
      list: ["[getter]"],
    });
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(redact([revoked.proxy])).toEqual(["[proxy]"]);
    expect(ran).toBe(0);
  });

  test("a field named __proto__ is a field", () => {
    const shown = redact(JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withUnicodeString: true,
  maxDepth: 6,
  maxKeys: 12,
});

describe("whatever the value", () => {
  test("the result is JSON of bounded size, and nothing is thrown", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const shown = redact(value);
        const text = JSON.stringify(shown);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(shownBytesMax);
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test("a large value stays within the bytes, whatever makes it large", () => {
    const leaf = fc.oneof(
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 9, unit: "binary" }), fc.nat(300))
        .map(([text, n]) => text.repeat(n)),
      fc.constant(Array.from({ length: 150 }, () => "\u0000é😀".repeat(20))),
      fc.constant(Array.from({ length: 150 }, () => Array.from({ length: 150 }, () => 1))),
    );
    const large = fc.letrec((tie) => ({
      node: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("node"), { minLength: 2, maxLength: 4 })),
    })).node;
    fc.assert(
      fc.property(fc.array(large, { minLength: 20, maxLength: 30 }), (value) => {
        expect(Buffer.byteLength(JSON.stringify(redact(value)))).toBeLessThanOrEqual(shownBytesMax);
      }),
      { numRuns: 50 },
    );
  });

  test("plain small data without secrets is shown as it is", () => {
    const word = fc.constantFrom("red", "green", "a longer text with spaces", "2024-05-06", "");
    const plain = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie("node"), { maxLength: 6 }),
        fc.dictionary(fc.constantFrom("id", "colour", "items", "at"), tie("node")),
      ),
    })).node;
    fc.assert(
      fc.property(plain, (value) => {
        expect(redact(value)).toEqual(value);
      }),
    );
  });

  test("a secret under a name is gone at any depth, in any container", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...secretNames),
        fc.nat(),
        fc.array(fc.nat(), { maxLength: 6 }),
        (name, seed, path) => {
          const secret = `opaque${randomOf(seed)(20)}`;
          const shown = JSON.stringify(redact(plant({ [name]: secret, beside: 1 }, path)));
          expect(shown).not.toContain(secret);
          expect(shown).toContain("[redacted]");
        },
      ),
      { numRuns: 400 },
    );
  });

  test("a secret known by its shape is gone at any depth, inside any text, and as a name", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...secretShapes),
        fc.nat(),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.constantFrom("", "see: ", '{"x":"', "a=1&b=2 ", "line\n"),
        ({ make, core }, seed, path, before) => {
          const secret = make(randomOf(seed));
          const value = plant({ text: `${before}${secret} after`, [secret]: 1 }, path);
          const shown = JSON.stringify(redact(value));
          for (const part of core(secret)) expect(shown).not.toContain(part);
        },
      ),
      { numRuns: 400 },
    );
  });
});
