import { afterAll, describe, expect, test } from "vitest";
import { loadedBy, makeFolder } from "./command-line.ts";

/** What a command line loads is what a person waits for before anything happens. */
const steps = [{ id: "a", type: "task", capability: "c" }];
const folder = makeFolder({
  "flow.json": JSON.stringify({ name: "n", steps }),
  "flow.yaml": "name: n\nsteps: [{ id: a, type: task, capability: c }]\n",
});
afterAll(() => folder.remove());

describe("the start of the command line", () => {
  test.each([[["--help"]], [["--version"]], [["nonsense"]], [["run", "--help"]], [["verify", "--nope"]]])(
    "%j loads no command and no package",
    async (args) => {
      const { files, packages } = await loadedBy(args, folder.path);
      expect(packages).toEqual([]);
      expect(files).toContain("src/cli/main.ts");
      expect(files.filter((file) => !/^src\/(errors|cli\/(commands\/)?[a-z-]+)\.ts$/.test(file))).toEqual([]);
    },
  );

  test.each([
    ["doctor", ["doctor"], []],
    ["the check of a certificate", ["verify", "a.json", "--electorate", "b.json"], ["zod"]],
    ["the check of a workflow in JSON", ["validate", "flow.json"], ["@jsep-plugin", "jsep", "zod"]],
    ["the check of a workflow in YAML", ["validate", "flow.yaml"], ["@jsep-plugin", "jsep", "yaml", "zod"]],
  ])("%s loads the packages that it needs, and no other", async (_what, args, needed) => {
    const { packages } = await loadedBy(args, folder.path);
    expect(packages).toEqual(needed);
  });

  test("a call to an agent of this process loads neither WebSockets nor YAML", async () => {
    const { packages } = await loadedBy(["call", "x", "--agents", "none.ts"], folder.path);
    expect(packages).toContain("xstate");
    expect(packages).not.toContain("ws");
    expect(packages).not.toContain("yaml");
  });
});
