import { describe, expect, test } from "vitest";
import { failureCodes, usageCodes } from "../../machines/failure-codes.ts";
import { failure } from "../../machines/failure.ts";

describe("the table of codes", () => {
  const rows = [...Object.entries(failureCodes), ...Object.entries(usageCodes)];

  test.each(rows)("%s has a stable form, a meaning and a way out", (code, { meaning, fix, retry }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*\/[a-z]+(-[a-z]+)*$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/s);
    expect(fix.length).toBeGreaterThan(8);
    expect(["now", "later", "never"]).toContain(retry);
  });

  test("usage errors are never worth a retry: the same call would be as wrong again", () => {
    for (const { retry } of Object.values(usageCodes)) expect(retry).toBe("never");
  });

  test("a failure is plain data with the advice of its row", () => {
    const failed = failure("call/busy", "full", { queued: 3 });
    expect(failed).toEqual({ code: "call/busy", message: "full", retry: "later", data: { queued: 3 } });
    expect(JSON.parse(JSON.stringify(failed))).toEqual(failed);
    expect(failure("call/cancelled", "gone").data).toEqual({});
  });
});
