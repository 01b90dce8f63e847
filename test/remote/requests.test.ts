import { describe, expect, test } from "vitest";
import { ttlMaxMs } from "../../machines/wire/limits.ts";
import type { Draft } from "../../machines/wire/envelope.ts";
import { Requests } from "../../src/remote/requests.ts";
import { FakeClock } from "troupe/testing";

describe("a call that may take more than an hour, or for ever", () => {
  test.each([
    [{ timeoutMs: Number.POSITIVE_INFINITY }],
    [{ timeoutMs: Number.POSITIVE_INFINITY, deadlineAt: Number.POSITIVE_INFINITY }],
    [{ timeoutMs: ttlMaxMs + 1, deadlineAt: ttlMaxMs + 1 }],
    [{ timeoutMs: Number.NaN }],
  ])("%j is out for an hour, and no longer on either side", async (options) => {
    const clock = new FakeClock(0);
    const sent: Draft[] = [];
    const requests = new Requests(
      {
        peer: "there",
        measure: () => 1,
        refusal: () => undefined,
        isUp: () => true,
        send: (draft) => void sent.push(draft),
      },
      { clock, prefix: "p", dead() {} },
    );
    const asked = requests.call({ path: "/a" }, "wait", { input: 1, options });
    expect(sent).toMatchObject([{ k: "call", ttl: ttlMaxMs }]);
    await clock.advance(ttlMaxMs - 1);
    expect(requests.open).toBe(1);
    await clock.advance(1);
    const message = `no outcome of wait within ${ttlMaxMs} ms`;
    expect(await asked).toMatchObject({ failure: { code: "call/timeout", message } });
    expect([requests.open, sent.map(({ k }) => k), clock.waiting]).toEqual([0, ["call", "cancel"], 0]);
  });
});
