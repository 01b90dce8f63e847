import fc from "fast-check";
import { expect, test } from "vitest";
import { ttlMaxMs } from "../../../machines/wire/limits.ts";
import { errorFrame, goAwayFrame } from "../../../machines/wire/partings.ts";
import { readTextFrame } from "../../../machines/wire/read-frame.ts";

test("whatever wait was computed, the other side takes the frame that names it, and comes no sooner", () => {
  const wait = fc.oneof(fc.double({ noNaN: true }), fc.double({ min: 0, max: ttlMaxMs, noNaN: true }));
  fc.assert(
    fc.property(wait, (retryAfterMs) => {
      for (const frame of [
        errorFrame({ what: { code: 4429, message: "later" }, retryAfterMs }),
        goAwayFrame({ what: { code: 4503 }, retryAfterMs }),
      ]) {
        expect(readTextFrame(JSON.stringify(frame))).toEqual({ kind: "frame", frame });
        expect(frame.retryAfterMs).toBeGreaterThanOrEqual(Math.min(retryAfterMs, ttlMaxMs));
      }
    }),
  );
});

test("a frame without a wait names none", () => {
  expect(errorFrame({ what: { code: 4400, message: "no" } })).toEqual({ t: "E", code: 4400, message: "no" });
});
