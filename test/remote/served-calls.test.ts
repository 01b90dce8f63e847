import fc from "fast-check";
import { expect, test } from "vitest";
import type { Draft, Envelope } from "../../machines/wire/envelope.ts";
import { ServedCall } from "../../src/remote/calls/received.ts";
import { ServedCalls } from "../../src/remote/calls/served-calls.ts";
import { Service } from "../../src/remote/service.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { TestHost } from "../conformance/transport-host.ts";

function callOf(id: string): ServedCall {
  const envelope: Envelope = { s: 1, id, k: "call", f: "", to: "/a", ty: "t", p: null };
  return new ServedCall("peer", envelope, () => Promise.resolve());
}

test("the calls that are served are those that came and were not answered, whichever places they had", () => {
  const courses = fc.array(
    fc.record({ id: fc.integer({ min: 0, max: 9 }), does: fc.constantFrom("come", "end", "late") }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(courses, (course) => {
      const calls = new ServedCalls();
      const model = new Map<string, ServedCall>();
      const ended: ServedCall[] = [];
      for (const { id: number, does } of course) {
        const id = `c${number}`;
        const open = model.get(id);
        if (does === "come" && open === undefined) {
          const call = callOf(id);
          calls.add(call);
          model.set(id, call);
        } else if (does === "end" && open !== undefined) {
          expect(calls.remove(open)).toBe(true);
          model.delete(id);
          ended.push(open);
        } else if (does === "late") {
          // The answer of a call that was given up long ago: its place may be another's by now.
          for (const call of ended) expect(calls.remove(call)).toBe(false);
        }
        expect(calls.size).toBe(model.size);
        expect(new Set(calls.list())).toEqual(new Set(model.values()));
        for (const [each, call] of model) expect([calls.has(each), calls.get(each) === call]).toEqual([true, true]);
      }
    }),
    { numRuns: 500 },
  );
});

test("a call that was given up frees no other call's place", () => {
  const calls = new ServedCalls();
  const cancelled = callOf("first");
  calls.add(cancelled);
  calls.remove(cancelled);
  const next = callOf("second");
  calls.add(next);
  expect(next.place).toBe(cancelled.place);
  expect(calls.remove(cancelled)).toBe(false);
  expect(calls.get("second")).toBe(next);
});

test("an answer that comes after its call was cancelled is sent to nobody", async () => {
  const sent: Draft[] = [];
  const host = new TestHost([]);
  host.start("/a");
  const service = new Service({
    peer: "peer",
    hosting: host,
    grants: ["tell:/*"],
    clock: new FakeClock(),
    prefix: "p",
    measure: () => 1,
    send: (draft) => void sent.push(draft),
    defer: (run) => run(),
  });
  const ask = (s: number, id: string, more: Partial<Envelope>): void =>
    service.take({ s, id, k: "call", f: "", to: "/a", ty: "wait", p: null, ...more });
  ask(1, "c1", {});
  ask(2, "n1", { k: "cancel", re: "c1", to: "", ty: "" });
  ask(3, "c2", { ty: "echo", p: 7 });
  await new FakeClock().settle();
  expect([host.aborted, service.open.calls]).toEqual([1, 0]);
  expect(sent.map(({ k, re }) => [k, re])).toEqual([["reply", "c2"]]);
});
