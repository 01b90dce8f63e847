import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { closeCodes, closePolicyOf } from "../../machines/wire/close-codes.ts";
import { envelopeKinds } from "../../machines/wire/envelope.ts";

const text = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const deeds = {
  resume: /\| resumes \|$/,
  wait: /\| waits as told, and resumes \|$/,
  renew: /\| begins another session \|$/,
  rest: /\| waits as told, and begins another session \|$/,
  stop: /\| stops \|$/,
};
const rows = text.split("\n").filter((line) => /^\| \d{4} /.test(line));

describe("the document of the protocol", () => {
  test.each(Object.keys(closeCodes))("says what %s means, and what a dialer does", (code) => {
    const found = rows.filter((line) => line.startsWith(`| ${code} `));
    expect(found).toEqual([expect.stringMatching(deeds[closePolicyOf(Number(code))])]);
  });

  test("has a row for no other code", () => {
    expect(rows).toHaveLength(Object.keys(closeCodes).length);
  });

  test.each(envelopeKinds)("names the kind %s", (kind) => {
    expect(text).toContain(`\`${kind}\``);
  });
});
