import { defineConfig } from "vitest/config";

/** Where a run writes its JSON report as well; `.ci/run` counts tests from it. */
const report = process.env["TROUPE_TEST_REPORT"];

/** Where processes that tests start keep what they have compiled: each would else compile the same sources again. */
const compileCache = new URL("node_modules/.cache/troupe-tests/", import.meta.url).pathname;

/**
 * Tests of rooms of src and of the experts: they leave nothing behind, so one process after another takes many files, and
 * loads the sources once. What runs as processes of its own (the command line, nodes, examples) has one process per file.
 */
const rooms = [
  "agent",
  "agents",
  "bench",
  "conformance",
  "consensus",
  "dispatch",
  "inspect",
  "listen",
  "simulation",
  "store",
  "stream",
  "system",
  "troupe",
  "workflow",
].map((room) => `test/${room}/**/*.test.ts`);

/** Tests that start compilers and package managers: they run last, so that they disturb no test of time. */
const heavy = ["test/*.test.ts", "test/house/**/*.test.ts", "test/docs/**/*.test.ts", "test/bin/**/*.test.ts"];

/**
 * When a test hangs. It says nothing of how fast one should be: a machine that is shared with others takes ten times as
 * long as a quiet one, where the slowest takes eight seconds.
 */
const hangMs = 90_000;

export default defineConfig({
  resolve: { conditions: ["troupe-source"] },
  ssr: { resolve: { conditions: ["troupe-source", "node", "import", "module", "default"] } },
  test: {
    passWithNoTests: false,
    maxWorkers: 2,
    maxConcurrency: 2,
    testTimeout: hangMs,
    hookTimeout: hangMs,
    expect: { poll: { timeout: hangMs } },
    env: { NODE_COMPILE_CACHE: compileCache },
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        extends: true,
        test: {
          name: "machines",
          include: ["test/machines/**/*.test.ts"],
          pool: "threads",
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "rooms",
          include: rooms,
          pool: "forks",
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "processes",
          include: ["test/**/*.test.ts"],
          exclude: ["test/fixtures/**", "test/campaigns/**", "test/machines/**", ...rooms, ...heavy],
          pool: "forks",
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "house", include: heavy, pool: "forks", sequence: { groupOrder: 2 } },
      },
    ],
  },
});
