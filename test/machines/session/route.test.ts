import { expect, test } from "vitest";
import { redirectsMax } from "../../../machines/session/limits.ts";
import { openRoute, sendOn, turnBack } from "../../../machines/session/route.ts";

const route = openRoute("home", ["one", "two"]);

test("a link goes on at an address that it was given, and home from there", () => {
  const away = sendOn(route, "one", true);
  expect(away).toMatchObject({ at: "one", home: "home" });
  expect(sendOn(away, "two", true).at).toBe("two");
  expect(sendOn(away, "home", true).at).toBe("home");
});

test.each([
  ["nothing was said", undefined],
  ["the address is none that it was given", "three"],
  ["it is there already", "home"],
])("it stays where it is when %s", (_, target) => {
  expect(sendOn(route, target, true)).toEqual(route);
});

test("it is sent on a few times in a row, and again once a session has held", () => {
  let sent = route;
  for (let hop = 0; hop < redirectsMax; hop += 1) sent = sendOn(sent, hop % 2 === 0 ? "one" : "two", false);
  expect([sent.at, sent.hops]).toEqual(["one", redirectsMax]);
  expect(sendOn(sent, "two", false)).toEqual(sent);
  expect(sendOn(sent, undefined, true).hops).toBe(0);
  expect(sendOn(sent, "two", true)).toMatchObject({ at: "two", hops: 1 });
});

test("one that is not let in goes home, and has been sent on all the same", () => {
  expect(turnBack(sendOn(route, "two", false))).toMatchObject({ at: "home", hops: 1 });
});
