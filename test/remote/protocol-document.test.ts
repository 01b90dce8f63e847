import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { closeCodes, closePolicyOf } from "../../machines/wire/close-codes.ts";
import { envelopeKinds } from "../../machines/wire/envelope.ts";

const text = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const deeds = {
  resume: /resumes|dials again/,
  renew: /begins another session/,
  wait: /waits as told/,
  stop: /stops/,
};

describe("the document of the protocol", () => {
  test.each(Object.keys(closeCodes))("says what %s means, and what a dialer does", (code) => {
    const row = text.split("\n").find((line) => line.startsWith(`| ${code} `)) ?? "";
    expect(row).toMatch(deeds[closePolicyOf(Number(code))]);
  });

  test.each(envelopeKinds)("names the kind %s", (kind) => {
    expect(text).toContain(`\`${kind}\``);
  });
});
