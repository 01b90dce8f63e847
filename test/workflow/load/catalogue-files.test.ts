import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setScene, task, workflow } from "../scene.ts";

async function folderOf(files: { readonly [name: string]: string }): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "troupe-definitions-"));
  await mkdir(join(path, "inner"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const step = "  - { id: a, type: task, capability: echo, input: $.input }";

test("a folder is loaded whole: YAML, JSON and modules, named by themselves or by their files", async () => {
  await using folder = await folderOf({
    "first.yaml": `key: one\nversion: "2"\nsteps:\n${step}\n`,
    "inner/second.json": JSON.stringify({ steps: [task("a", "echo")] }),
    "third.mjs": `export default { steps: [{ id: "a", type: "task", capability: "echo" }] };`,
    "notes.txt": "not read",
  });
  const { troupe, close } = await setScene();
  const infos = await troupe.workflows.load(folder.path, {
    namespace: "tenant",
    importModule: (url) => import(url) as Promise<unknown>,
  });
  expect(infos.map(({ key, version, namespace }) => [key, version, namespace])).toEqual([
    ["one", "2", "tenant"],
    ["second", "1", "tenant"],
    ["third", "1", "tenant"],
  ]);
  const run = await troupe.run("second", 1, { namespace: "tenant" });
  expect(await run.result()).toMatchObject({ ok: true });
  await close();
});

test("one broken file registers nothing, and every problem is told with file and line", async () => {
  await using folder = await folderOf({
    "good.yaml": `steps:\n${step}\n`,
    "bad.yaml": `steps:\n  - { id: a, type: tusk }\n  - { id: b, type: task, capabilty: x }\n`,
  });
  const { troupe, close } = await setScene();
  const bad = join(folder.path, "bad.yaml");
  await expect(troupe.workflows.load(folder.path)).rejects.toMatchObject({
    code: "usage/invalid-definition",
    message: expect.stringMatching(/bad\.yaml:2: .*tusk[^]*bad\.yaml:3: .*capabilty/) as unknown,
  });
  await expect(troupe.workflows.load(bad)).rejects.toMatchObject({ code: "usage/invalid-definition" });
  await expect(troupe.workflows.load(join(folder.path, "none.yaml"))).rejects.toMatchObject({ code: "usage/bad-file" });
  expect(troupe.workflows.list()).toEqual([]);
  await close();
});

test("what is saved as JSON or YAML is read again as the same content", async () => {
  await using folder = await folderOf({});
  const { troupe, close } = await setScene();
  const [info] = await troupe.workflows.define(workflow("flow", [task("a", "echo", { next: "b" }), task("b", "echo")]));
  for (const name of ["flow.json", "flow.yaml"]) {
    await troupe.workflows.save("flow", join(folder.path, name));
    expect(await troupe.workflows.load(join(folder.path, name))).toEqual([info]);
  }
  expect(await readFile(join(folder.path, "flow.yaml"), "utf8")).toMatch(/^key: flow$/m);
  await expect(troupe.workflows.save("flow", join(folder.path, "flow.toml"))).rejects.toThrow(/\.json, \.yaml, \.yml/);
  await expect(troupe.workflows.save("none", join(folder.path, "x.json"))).rejects.toMatchObject({
    code: "usage/unknown-workflow",
  });
  await expect(troupe.workflows.save("flow", join(folder.path, "no/x.json"))).rejects.toMatchObject({
    code: "usage/bad-file",
  });
  expect((await readdir(folder.path)).toSorted()).toEqual(["flow.json", "flow.yaml", "inner"]);
  await close();
});
