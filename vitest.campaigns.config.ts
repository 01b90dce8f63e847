import { defineConfig } from "vitest/config";

const report = process.env["TROUPE_TEST_REPORT"];

/** Long runs: what does not fit into `npm test` but must pass before a release. One at a time, for honest timing. */
export default defineConfig({
  resolve: { conditions: ["troupe-source"] },
  ssr: { resolve: { conditions: ["troupe-source", "node", "import", "module", "default"] } },
  test: {
    include: ["test/campaigns/**/*.test.ts"],
    passWithNoTests: false,
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
  },
});
