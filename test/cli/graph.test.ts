import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createMachine } from "xstate";
import { describe, expect, test } from "vitest";
import { troupe, useFolders } from "./command-line.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const flow = join(fixtures, "workflow/full-stack-development.yaml");
const folderOf = useFolders();

describe("troupe graph", () => {
  test("prints Mermaid text, and with --json the format beside it", async () => {
    const folder = folderOf();
    const plain = await troupe(["graph", flow], folder);
    expect(plain).toMatchObject({ code: 0, stderr: "" });
    expect(plain.stdout).toMatch(/^---\ntitle: "Full Stack Development, version 1"\n---\nflowchart TD\n/);
    const { stdout } = await troupe(["graph", flow, "--json"], folder);
    expect(JSON.parse(stdout)).toMatchObject({ format: "mermaid", content: plain.stdout });
  });

  test("writes an SVG picture to a file", async () => {
    const folder = folderOf();
    const { code, stdout } = await troupe(["graph", flow, "--format", "svg", "--out", "flow.svg"], folder);
    expect([code, stdout]).toEqual([0, "wrote flow.svg\n"]);
    expect(readFileSync(join(folder, "flow.svg"), "utf8")).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  });

  test("gives the XState config that a chart viewer takes", async () => {
    const { stdout } = await troupe(["graph", flow, "--format", "xstate"], folderOf());
    const config = JSON.parse(stdout) as Parameters<typeof createMachine>[0];
    expect(Object.keys(createMachine(config).states).length).toBeGreaterThan(6);
  });

  test.each([
    [["graph", flow, "--format", "png"], "it is one of mermaid, svg, xstate"],
    [["graph", flow, "--workflow", "other"], "the file holds"],
    [["graph", "none.yaml"], "none.yaml"],
    [["graph", flow, "--out", "no/such/folder.svg"], "cannot be written"],
  ])("%j is refused with the way out", async (args, words) => {
    const { code, stderr } = await troupe(args, folderOf());
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
