import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { closeCodes, closePolicyOf, isBreach } from "../../../machines/wire/close-codes.ts";
import { nestsDeeper } from "../../../machines/wire/depth.ts";
import { envelopeKinds } from "../../../machines/wire/envelope.ts";
import { depthMax } from "../../../machines/wire/limits.ts";
import { readTextFrame } from "../../../machines/wire/read-frame.ts";

const golden = ["v1.jsonl", "v1-messages.jsonl"].flatMap((file) =>
  readFileSync(new URL(`../../fixtures/wire/${file}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== ""),
);

/** Frames of v1 never change: a line of those files may be added, none may be edited. */
describe("the frozen frames of v1", () => {
  test("there is one of every kind, and one of every kind of message", () => {
    const frames = golden.map((line) => JSON.parse(line) as { t: string; m?: { k: string }[] });
    expect(new Set(frames.map(({ t }) => t))).toEqual(new Set(["H", "C", "P", "W", "M", "A", "I", "E", "G"]));
    const kinds = new Set(frames.flatMap(({ m = [] }) => m.map(({ k }) => k)));
    expect(kinds).toEqual(new Set([...envelopeKinds, "x-later"]));
  });

  test.each(golden.map((line) => [line.slice(0, 80), line]))("%s… is read and written as it was", (_, line) => {
    const reading = readTextFrame(line);
    if (reading.kind !== "frame") throw new Error(`it was ${JSON.stringify(reading)}`);
    expect(JSON.stringify(reading.frame)).toBe(line);
  });
});

function reasonOf(text: string): string {
  const reading = readTextFrame(text);
  return reading.kind === "refused" ? `${reading.code} ${reading.reason}` : reading.kind;
}

describe("a frame from outside", () => {
  test.each([
    ["", "4400 the frame is not JSON"],
    ["{", "4400 the frame is not JSON"],
    ["7", "4400 a frame is an object"],
    ["null", "4400 a frame is an object"],
    ["[]", "4400 a frame names its kind in t"],
    ['{"t":5}', "4400 a frame names its kind in t"],
    ['{"t":"Q"}', "4400 the kind of frame is unknown"],
    ['{"t":"constructor"}', "4400 the kind of frame is unknown"],
    ['{"t":"M","a":0,"l":0,"m":[]}', "4400 a frame M is malformed"],
    ['{"t":"A","a":-1,"l":0}', "4400 a frame A is malformed"],
    ['{"t":"P","sig":"00"}', "4400 a frame P is malformed at sig"],
    ['{"t":"A","a":0,"l":0,"x":{"__proto__":{}}}', "4400 the frame has a __proto__ key"],
    ['{"t":"A","a":0,"l":0,"\\u005f_proto__":1}', "4400 the frame has a __proto__ key"],
    ['{"t":"x-later","y":1}', "ignored"],
  ])("%s is: %s", (text, expected) => {
    expect(reasonOf(text)).toBe(expected);
  });

  test("deep nesting is refused, in a small frame after parsing and in a large one before", () => {
    const deep = (levels: number): string => `{"t":"A","a":0,"l":0,"p":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect(reasonOf(deep(depthMax - 1))).toBe("frame");
    expect(reasonOf(deep(depthMax))).toBe("4400 the frame too deep");
    expect(reasonOf(deep(500_000))).toBe("4400 the frame too deep");
    // The parser, which would refuse it for its missing end, is not asked.
    expect(reasonOf(`{"t":"A","a":0,"l":0,"p":${"[".repeat(500_000)}`)).toBe("4400 the frame too deep");
  });

  test("brackets inside of strings do not count as nesting", () => {
    expect(nestsDeeper(JSON.stringify(["[[[[", '\\"[[[', "]"]), 1)).toBe(false);
    expect(nestsDeeper("[[1]]", 1)).toBe(true);
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)))
        : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), fc.nat(7), (value, max) => {
        expect(nestsDeeper(JSON.stringify(value), max)).toBe(depthOf(value) > max);
      }),
    );
  });
});

describe("close codes", () => {
  test("each says what it means and what a dialer does", () => {
    expect(Object.keys(closeCodes).length).toBe(22);
    for (const { meaning } of Object.values(closeCodes)) expect(meaning).not.toBe("");
    const stops = Object.keys(closeCodes).filter((code) => closePolicyOf(Number(code)) === "stop");
    expect(stops).toEqual(["4401", "4403", "4406", "4409"]);
  });

  test("a lost connection resumes; an orderly end and a breach need a new session", () => {
    expect([1001, 1006, 1008, 1011].map(closePolicyOf)).toEqual(["resume", "resume", "resume", "resume"]);
    expect([1000, 4404, 4410].map(isBreach)).toEqual([false, false, false]);
    for (const code of [1002, 1003, 1007, 1009, 4400, 4413])
      expect([closePolicyOf(code), isBreach(code)]).toEqual(["renew", true]);
  });
});
