import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { createTroupe } from "troupe";
import { makeFolder, startProgram, troupe } from "./command-line.ts";

const folder = makeFolder({
  "agents.ts": `import { defineAgent } from "troupe";
import { z } from "zod";
export default defineAgent({
  name: "greeter",
  capabilities: { greet: { input: z.string(), output: z.string(), run: ({ input }) => "Hello, " + input } },
});
`,
});
mkdirSync(join(folder.path, "node_modules"));
symlinkSync(join(import.meta.dirname, "../.."), join(folder.path, "node_modules/troupe"));
symlinkSync(join(import.meta.dirname, "../../node_modules/zod"), join(folder.path, "node_modules/zod"));
afterAll(() => folder.remove());

/** The address of a node that takes these codecs; it ends with the test. */
async function serve(...codec: readonly string[]): Promise<{ readonly url: string } & Disposable> {
  const args = ["node", "--listen", "127.0.0.1:0", "--agents", "agents.ts", "--store", ":memory:", "--json", ...codec];
  const child = startProgram(args, folder.path);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return { url: (JSON.parse(line) as { url: string }).url, [Symbol.dispose]: () => void child.kill("SIGINT") };
  throw new Error("the node said nothing");
}

async function examine(url: string, ...codec: readonly string[]): Promise<string | undefined> {
  const { stdout } = await troupe(["doctor", "--json", "--connect", url, ...codec], folder.path);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly { name: string; message: string }[] };
  return checks.find(({ name }) => name === url)?.message;
}

describe("--codec", () => {
  test("msgpack is spoken where both sides have it; what is asked and answered is the same", async () => {
    using node = await serve("--codec", "msgpack");
    const ask = ["call", "greet", "--connect", node.url, "--input", '"you"', "--json"];
    const [binary, plain, wished, usual] = await Promise.all([
      troupe([...ask, "--codec", "msgpack"], folder.path),
      troupe(ask, folder.path),
      examine(node.url, "--codec", "msgpack"),
      examine(node.url),
    ]);
    expect(binary).toMatchObject({ code: 0, stdout: '{"ok":true,"value":"Hello, you"}\n' });
    expect(plain.stdout).toBe(binary.stdout);
    expect(wished).toMatch(/lets this one in .* 1 capabilities, in msgpack$/);
    expect(usual).toMatch(/ 1 capabilities$/);
  });

  test("a node with --codec json takes nothing else, and doctor says so", async () => {
    using node = await serve("--codec", "json");
    expect(await examine(node.url, "--codec", "msgpack")).toMatch(/ in json: msgpack is not taken there$/);
    await using client = await createTroupe();
    const peer = await client.connect(node.url, { codec: "msgpack" });
    expect([peer.codec, await client.call("greet", "you")]).toEqual(["json", { ok: true, value: "Hello, you" }]);
  });

  test.each([
    [["node", "--listen", "127.0.0.1:0", "--agents", "agents.ts", "--store", ":memory:"]],
    [["call", "greet", "--connect", "ws://127.0.0.1:1/"]],
    [["doctor", "--connect", "ws://127.0.0.1:1/"]],
    [["doctor"]],
  ])("one that there is not is refused by %j with exit 2, with those that there are", async (args) => {
    const { code, stderr } = await troupe([...args, "--codec", "xml"], folder.path);
    expect(stderr).toBe("troupe: --codec xml: it is one of json, msgpack\n");
    expect(code).toBe(2);
  });
});
