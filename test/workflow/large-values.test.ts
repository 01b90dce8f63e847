import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../machines/failure.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { inlineCharactersMax, LargeValues } from "../../src/workflow/run/large-values.ts";
import { runRow } from "../conformance/store-rows.ts";
import { makeFolder, setScene, task, workflow } from "./scene.ts";

const large = "x".repeat(inlineCharactersMax + 1);

async function roundTrip(value: Json): Promise<Json> {
  const store = new MemoryStore(systemClock);
  await store.commit({ createRuns: [runRow("r")] });
  const { text, values } = new LargeValues(store).encode("r", value);
  await store.commit({ values });
  expect(text.length).toBeLessThanOrEqual(inlineCharactersMax + 64);
  return new LargeValues(store).decode(text);
}

describe("values in rows", () => {
  test("a large one is kept once by its hash, wherever it stands", () => {
    const values = new LargeValues(new MemoryStore(systemClock));
    const { text, values: rows } = values.encode("r", { a: large, b: [large, { c: large }] });
    expect(text.length).toBeLessThan(500);
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(1);
    const again = values.encode("r", { other: large });
    expect(again.values[0]?.hash).toBe(rows[0]?.hash);
  });

  test("whatever a value is made of, it comes back the same", async () => {
    const many = Array.from({ length: 3_000 }, (_, n) => ({ n, name: `entry ${n}` }));
    const odd: Json[] = [
      { deep: { deeper: { many, large } } },
      [many, many],
      { "$troupe.value": "not ours" },
      { "$troupe.literal": { "$troupe.value": large } },
      { list: [{ "$troupe.value": "a".repeat(64) }], large },
      JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as Json,
    ];
    for (const value of odd) expect(await roundTrip(value)).toEqual(value);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(3), async (value, copies) => {
        const given = JSON.parse(JSON.stringify({ value, big: Array.from({ length: copies }, () => large) })) as Json;
        expect(await roundTrip(given)).toEqual(given);
      }),
      { numRuns: 50 },
    );
  });
});

describe("runs with large values", () => {
  test("pass them from step to step and over a restart", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const text = "long text ".repeat(100_000);
    const steps = [
      task("read", "read", { output: { text: "$.output.text" }, next: "wait" }),
      { id: "wait", name: "Wait", type: "event", event: { name: "go" }, next: "use" },
      task("use", "measure", { input: { text: "$.variables.text" }, output: { length: "$.output" } }),
    ];
    const doing = { read: () => ({ text }), measure: ({ input }: { input: any }) => input.text.length };
    const first = await setScene({ options, clock: "real", doing });
    const run = await first.troupe.run(workflow("w", steps));
    while ((await run.status()).currentSteps[0]?.id !== "wait") await new Promise((resolve) => setImmediate(resolve));
    await first.close();
    const second = await setScene({ options, clock: "real", seed: 2, doing });
    const again = await second.troupe.runs.get(run.id);
    await again.signal("go");
    expect(await again.result()).toEqual({ ok: true, value: { text, length: text.length } });
    expect((await second.troupe.store.readFacts(run.id)).every(({ body }) => body.length < 1_000)).toBe(true);
    await second.close();
  });

  test("refuse one that is too large where it is made, with its size", async () => {
    const { troupe, close } = await setScene({ doing: { huge: () => "x".repeat(9_000_000) } });
    const run = await troupe.run(workflow("w", [task("a", "huge")]));
    expect(await run.result()).toMatchObject({
      ok: false,
      failure: { code: "workflow/value-too-large", data: { characters: 9_000_002 } },
    });
    await expect(troupe.run(workflow("w", [task("a", "huge")]), { big: "x".repeat(9_000_000) })).rejects.toThrow(
      /the input of the run: it has 9000010 characters/,
    );
    await close();
  });
});
