import { expect, test } from "vitest";
import { createStamp } from "../../machines/stamp.ts";

test("what is noted on an object is read from that object only, not from its copies", () => {
  const stamp = createStamp<string>();
  const object = Object.freeze(stamp.put({ a: 1 }, "noted"));
  expect(stamp.of(object)).toBe("noted");
  expect(
    [{ ...object }, structuredClone(object), Object.create(object) as object].map((copy) => stamp.of(copy)),
  ).toEqual([undefined, undefined, undefined]);
});

test("a later note takes the place of the one before, and another stamp knows nothing of it", () => {
  const stamp = createStamp<number>();
  const object = stamp.put(stamp.put([1, 2], 1), 2);
  expect(stamp.of(object)).toBe(2);
  expect(createStamp<number>().of(object)).toBeUndefined();
});

test("a note leaves the object as it looks", () => {
  const object = { a: 1 };
  expect(createStamp<number>().put(object, 7)).toBe(object);
  expect([Reflect.ownKeys(object), JSON.stringify(object)]).toEqual([["a"], '{"a":1}']);
  expect(object).toStrictEqual({ a: 1 });
});

test("an object that cannot be extended is not noted on, and keeps what was noted before", () => {
  const stamp = createStamp<number>();
  const frozen = Object.freeze(stamp.put({}, 1));
  expect(stamp.of(stamp.put(frozen, 2))).toBe(2);
  expect(stamp.of(stamp.put(Object.freeze({}), 3))).toBeUndefined();
});
