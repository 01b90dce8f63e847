import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generators, renderDocument, replaceBetween } from "../../docs/generate.ts";
import { type ChartNode, charts, collectArrows, collectStates, drawChart } from "../../docs/generators/charts.ts";
import { runChart } from "../../docs/generators/run-chart.ts";
import { errorCodes } from "../../docs/generators/error-codes.ts";
import { writeTable } from "../../docs/generators/generator.ts";
import { importRules } from "../../docs/generators/import-rules.ts";
import { collectLimits, readLimits } from "../../docs/generators/limits.ts";
import { failureCodes, usageCodes } from "../../machines/failure-codes.ts";
import { catalogue } from "../../machines/index.ts";
import { owners, rooms } from "../house/import-table.ts";
import { rootFolder } from "../house/source-files.ts";

describe("generated documents", () => {
  test("each has a place of its own, and together they are what `npm run docs` writes", () => {
    expect(generators.length).toBeGreaterThanOrEqual(4);
    const places = new Set(generators.map(({ file, marker = "" }) => `${file} ${marker}`));
    expect(places.size).toBe(generators.length);
    // Who writes a whole file leaves room for nobody else.
    const whole = generators.filter(({ marker }) => marker === undefined).map(({ file }) => file);
    expect(generators.filter(({ file }) => whole.includes(file))).toHaveLength(whole.length);
  });

  test("a document that differs from its source is stale, and so is one that is missing", async () => {
    const text = readFileSync(join(rootFolder, "LICENSE"), "utf8");
    expect(await renderDocument({ file: "LICENSE", render: () => text })).toEqual({ text, fresh: true });
    expect(await renderDocument({ file: "LICENSE", render: () => `${text} ` })).toMatchObject({ fresh: false });
    expect(await renderDocument({ file: "docs/absent.md", render: () => "" })).toMatchObject({ fresh: false });
  });

  test("only the part between the markers is replaced, and lost markers are an error", () => {
    const old = "before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter\n";
    expect(replaceBetween(old, "a", "new")).toBe("before\n<!-- a:begin -->\nnew\n<!-- a:end -->\nafter\n");
    expect(() => replaceBetween(old, "b", "new")).toThrow(/<!-- b:begin -->/);
    expect(() => replaceBetween("<!-- a:end --><!-- a:begin -->", "a", "new")).toThrow(/wrong order/);
  });

  test("a pipe in a cell does not end it", () => {
    expect(writeTable(["a"], [["x | y"]])).toBe("| a |\n| --- |\n| x \\| y |");
  });
});

describe("error codes", () => {
  test("every code of the table is in the document, with what to do", async () => {
    const text = await errorCodes.render();
    const codes = [...Object.entries(failureCodes), ...Object.entries(usageCodes)];
    expect(codes.length).toBeGreaterThan(20);
    for (const [code, row] of codes) expect(text).toContain(`| \`${code}\` | ${row.meaning} | ${row.fix} |`);
  });
});

describe("limits", () => {
  test("every limit says in words what it bounds", () => {
    const limits = collectLimits();
    expect(limits.length).toBeGreaterThan(20);
    expect(limits.filter((limit) => limit.sentence === "").map((limit) => `${limit.name} in ${limit.file}`)).toEqual(
      [],
    );
  });

  test("a limit is a constant with a number, however it is written", () => {
    const text = `
/** Bytes of one frame. */
export const frameBytesMax = 4 * 1_024;
/**
 * Longest wait, in milliseconds,
 * of one call.
 * @example text that is left out
 */
const waitMs = frameBytesMax * 2 as number;
// A line comment is not a sentence.
const silentMax = 3;
/** Computed when the program runs. */
const laterMs = Date.now();
/** One day. */
const dayMs = 86_400_000;
/** Not a limit by its name. */
const answer = 42;
`;
    expect(
      readLimits({ path: "src/a.ts", text }).map(({ name, value, unit, sentence }) => [name, value, unit, sentence]),
    ).toEqual([
      ["frameBytesMax", 4096, "bytes", "Bytes of one frame."],
      ["waitMs", 8192, "ms", "Longest wait, in milliseconds, of one call."],
      ["silentMax", 3, "", ""],
    ]);
  });
});

describe("charts", () => {
  test("the catalogue is drawn: every state and every event, each with words", async () => {
    const text = await charts.render();
    expect(catalogue.length).toBeGreaterThanOrEqual(4);
    for (const { name, summary, machine } of catalogue) {
      expect(text).toContain(`## ${name}\n\n${summary}\n`);
      for (const state of Object.keys(machine.config.states ?? {})) expect(text).toContain(`| \`${state}\` |`);
    }
    const parts = catalogue.flatMap(({ machine }) => {
      const config = machine.config as ChartNode;
      return [...collectStates(config), ...collectArrows(config).map((arrow) => ({ ...arrow, path: arrow.from }))];
    });
    expect(parts.length).toBeGreaterThan(40);
    expect(parts.filter((part) => part.description === "").map((part) => part.path.join("."))).toEqual([]);
  });

  test("the run of a documented workflow is drawn: every state and every event, each with words", async () => {
    const { name, summary, config } = runChart();
    expect(await charts.render()).toContain(`## ${name}\n\n${summary}\n\n\`\`\`mermaid\n${drawChart(config)}`);
    const parts = [...collectStates(config), ...collectArrows(config)];
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.filter((part) => part.description === "")).toEqual([]);
  });

  test("nested, parallel, final and relative targets are drawn", () => {
    const drawn = drawChart({
      initial: "open-door",
      states: {
        "open-door": {
          on: { shut: "shut", look: { target: ".inside", description: "" } },
          initial: "outside",
          states: { outside: {}, inside: {} },
        },
        shut: { type: "parallel", states: { lock: { on: { out: "#door.gone" } }, lamp: {} } },
        gone: { type: "final" },
      },
    });
    expect(drawn.split("\n")).toEqual([
      "stateDiagram-v2",
      "  [*] --> open_door",
      '  state "open-door" as open_door',
      "  state open_door {",
      "    [*] --> open_door_outside",
      '    state "outside" as open_door_outside',
      '    state "inside" as open_door_inside',
      "  }",
      "  state shut {",
      '    state "lock" as shut_lock',
      "    --",
      '    state "lamp" as shut_lamp',
      "  }",
      "  gone --> [*]",
      "  open_door --> shut : shut",
      "  open_door --> open_door_inside : look",
      "  shut_lock --> gone : out",
    ]);
  });
});

describe("the import table", () => {
  test("every room and every owned package has a row", async () => {
    const text = await importRules.render();
    expect(rooms.length).toBeGreaterThan(30);
    for (const { room } of rooms) expect(text).toContain(`| \`${room}\` |`);
    for (const { module } of owners) expect(text).toContain(`| \`${module}\` |`);
  });
});
