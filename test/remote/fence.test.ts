import { expect, test } from "vitest";
import { FakeClock } from "troupe/testing";
import { Fence } from "../../src/remote/fence.ts";

const pace = { ttlMs: 60_000, heartbeatMs: 5_000 };

test("what one address may still have is waited for, though another one lets this side in", async () => {
  const clock = new FakeClock(0);
  const fence = new Fence(clock);
  fence.raise("one", pace);
  fence.drop("two");
  expect(fence.until).toBeGreaterThan(60_000);
  fence.raise("two", pace);
  fence.drop("two");
  expect(fence.until).toBeGreaterThan(60_000);
  const passed = fence.passed(new AbortController().signal);
  fence.drop("one");
  expect(fence.until).toBe(0);
  await passed;
  expect(clock.waiting).toBe(0);
});

test("a fence that time takes away lets everybody pass", async () => {
  const clock = new FakeClock(0);
  const fence = new Fence(clock);
  fence.raise("one", pace);
  const passed = fence.passed(new AbortController().signal);
  await clock.advance(fence.until);
  await passed;
  expect(clock.waiting).toBe(0);
  fence.raise("two", pace);
  fence.drop("two");
  expect(fence.until).toBeLessThanOrEqual(clock.now());
});
