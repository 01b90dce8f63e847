import { describe, expect, test } from "vitest";
import { faults, findingsWith } from "../campaigns/fuzz-faults.ts";

/** One process per fault. */
const faultTimeoutMs = 60_000;
/** Of the others `npm run campaigns` takes care. */
const faultsHere = 4;

describe("a short campaign of hostile frames finds", () => {
  test.concurrent.each(faults.slice(0, faultsHere))("a node that $name", { timeout: faultTimeoutMs }, async (fault) => {
    const [first] = await findingsWith(fault);
    expect(first).toMatch(/^seed 1, visit \d+: (json|msgpack) .+: .+ (due|to be|begun|not known)/);
  });
});
