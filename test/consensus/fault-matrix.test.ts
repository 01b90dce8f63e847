import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rootFolder } from "../house/source-files.ts";
import { faultMatrix } from "./fault-matrix.ts";
import { properties } from "./property-matrix.ts";

/** Titles as they stand in a test file: quoted, directly behind `it(`, or in a list that `it.each` goes through. */
function hasTitle(file: string, title: string): boolean {
  const path = join(rootFolder, "test", `${file}.test.ts`);
  if (!existsSync(path)) return false;
  const text = readFileSync(path, "utf8");
  return [`"${title}"`, `\`${title}\``].some((quoted) =>
    [`(${quoted}`, `[${quoted}`, `    ${quoted}`].some((place) => text.includes(place)),
  );
}

describe("the fault matrix", () => {
  it("has thirty rows and fourteen properties, each with a test", () => {
    expect(faultMatrix.map(({ row }) => row)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(properties.map(({ property }) => property)).toEqual(
      Array.from({ length: 14 }, (_, index) => `P${index + 1}`),
    );
    for (const { shown } of [...faultMatrix, ...properties]) expect(shown.length).toBeGreaterThan(0);
  });

  it("names only tests that are there", () => {
    const missing = [...faultMatrix, ...properties].flatMap(({ shown }) =>
      shown.filter(([file, title]) => !hasTitle(file, title)).map(([file, title]) => `${file}: ${title}`),
    );
    expect(missing).toEqual([]);
    expect(hasTitle("consensus/decide", "a test that nobody wrote")).toBe(false);
  });
});
