import { expect, test } from "vitest";
import { makeFolder, setScene, task, workflow } from "./scene.ts";

/** Wide enough that anything quadratic would be seen, small enough for every run of the tests. */
const width = 10_000;

/** Milliseconds that this process has computed: what a busy machine gives to others does not count. */
function computedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

test(
  `a chain of ${width} steps costs the same per step at its end as at its beginning`,
  { timeout: 60_000 },
  async () => {
    const { troupe, close } = await setScene({ clock: "real", doing: { count: ({ input }) => ({ n: input.n + 1 }) } });
    const steps = Array.from({ length: width }, (_, index) =>
      task(`s${index}`, "count", {
        input: { n: "$.variables.n" },
        output: { n: "$.output.n" },
        next: index + 1 < width ? `s${index + 1}` : "$end",
      }),
    );
    const marks: number[] = [];
    const subscription = troupe.events({ type: "task.completed" });
    const counting = (async () => {
      let count = 0;
      for await (const _event of subscription) {
        count += 1;
        if (count % (width / 10) === 0) marks.push(computedMs());
      }
    })();
    const started = computedMs();
    const run = await troupe.run(workflow("chain", steps, { variables: { n: 0 } }));
    expect(await run.result()).toEqual({ ok: true, value: { n: width } });
    await subscription.return();
    await counting;
    const first = (marks[1] ?? 0) - (marks[0] ?? started);
    const last = (marks[9] ?? 0) - (marks[8] ?? 0);
    expect(last).toBeLessThan(first * 4 + 100);
    expect(await run.history()).toHaveLength(width + 1);
    await close();
  },
);

test(
  `a map over ${width} items does each once, with the concurrency that it declares`,
  { timeout: 60_000 },
  async () => {
    using folder = makeFolder();
    let now = 0;
    let most = 0;
    const { troupe, seen, close } = await setScene({
      clock: "real",
      concurrency: 1_000,
      options: { store: folder.store, durability: "memory" },
      doing: {
        square: async ({ input }) => {
          most = Math.max(most, (now += 1));
          await Promise.resolve();
          now -= 1;
          return input.n * input.n;
        },
      },
    });
    const run = await troupe.run(
      workflow("map", [
        {
          id: "all",
          name: "All",
          type: "map",
          map: { over: "$.input.items", concurrency: 500, steps: [task("one", "square", { input: { n: "$.item" } })] },
          output: { squares: "$.output" },
          next: "$end",
        },
      ]),
      { items: Array.from({ length: width }, (_, n) => n) },
    );
    const outcome = await run.result();
    expect(outcome.ok && (outcome.value as { squares: number[] }).squares.at(-1)).toBe((width - 1) ** 2);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(width);
    expect(seen).toHaveLength(width);
    expect(most).toBeLessThanOrEqual(500);
    await close();
  },
);
