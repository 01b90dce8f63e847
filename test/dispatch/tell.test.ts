import { describe, expect, test } from "vitest";
import { end, openDesk } from "./desk.ts";
import { close, looking, open } from "./looking.ts";

describe("a tell", () => {
  test("carries what its options say, and what the call that it is sent from carries", async () => {
    const seen: unknown[] = [];
    const scene = await open(({ input, tell, runId, decisionId, traceparent, baggage, degrade }) => {
      seen.push({ input, runId, decisionId, trace: traceparent.split("-")[1], baggage });
      degrade({ what: "answer", why: "nobody hears it", severity: "low" });
      if (input === "first") tell("look", "second", { baggage: { b: "2" } });
    });
    const trace = "ab".repeat(16);
    await scene.call("first", {
      runId: "r",
      decisionId: "d",
      traceparent: `00-${trace}-${"cd".repeat(8)}-01`,
      baggage: { a: "1" },
    });
    await scene.desk.clock.settle();
    expect(scene.ref.tell("look", "third", { runId: "r3", baggage: { c: "3" } })).toBe("accepted");
    expect(scene.ref.tell("look", "fourth")).toBe("accepted");
    await scene.desk.clock.settle();
    expect(seen).toMatchObject([
      { input: "first", runId: "r", decisionId: "d", trace, baggage: { a: "1" } },
      { input: "second", runId: "r", decisionId: "d", trace, baggage: { a: "1", b: "2" } },
      { input: "third", runId: "r3", decisionId: undefined, baggage: { c: "3" } },
      { input: "fourth", runId: undefined, baggage: {} },
    ]);
    expect(() => scene.ref.tell("look", 5, { priority: "urgent" as never })).toThrow(/priority is "urgent"/);
    await close(scene);
  });

  test("draws what its handler calls from the budget of the call that it is sent from", async () => {
    const ends: unknown[] = [];
    const scene = await open(async ({ input, tell, call }) => {
      if (input === "teller") return tell("look", "told");
      if (input === "told") ends.push(end(await call("look", "leaf")), end(await call("look", "leaf")));
      return "done";
    });
    await scene.call("teller", { budget: { calls: 2 } });
    await scene.desk.clock.settle();
    expect(ends).toEqual(["done", "call/budget-exhausted"]);
    await close(scene);
  });

  test("of a high priority is handled before those that wait", async () => {
    const seen: unknown[] = [];
    const desk = await openDesk();
    const [ref] = await desk.troupe.spawn(looking(({ input }) => void seen.push(input), { concurrency: 1 }));
    ref?.pause();
    ref?.tell("look", "low", { priority: "low" });
    ref?.tell("look", "normal");
    ref?.tell("look", "high", { priority: "high" });
    ref?.resume();
    await desk.clock.settle();
    expect(seen).toEqual(["high", "normal", "low"]);
    await desk[Symbol.asyncDispose]();
  });
});
