import type { ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { createSigner, importSeed } from "../../src/consensus/ed25519.ts";
import { Certificates } from "../remote/certificates.ts";
import { makeFolder, startProgram, troupe, type Finished } from "./command-line.ts";

const seeds = { north: "11".repeat(32), south: "22".repeat(32), west: "33".repeat(32) };
const keyOf = (seed: string): string =>
  Buffer.from(createSigner(importSeed(Buffer.from(seed, "hex"))).publicKey).toString("hex");
const folder = makeFolder({
  "agents.ts": `import { defineAgent } from "troupe";
import { z } from "zod";
export default defineAgent({
  name: "greeter",
  capabilities: { greet: { input: z.string(), output: z.string(), run: ({ input }) => "Hello, " + input } },
});
`,
  "north.json": JSON.stringify({ seed: seeds.north, keys: { south: keyOf(seeds.south) } }),
  "south.json": JSON.stringify({ seed: seeds.south, keys: { north: keyOf(seeds.north) } }),
  "west.json": JSON.stringify({ seed: seeds.west, keys: { north: keyOf(seeds.north) } }),
  "half.json": JSON.stringify({ seed: "44".repeat(31) }),
  "empty/ca.pem": "nothing",
});
mkdirSync(join(folder.path, "node_modules"));
symlinkSync(join(import.meta.dirname, "../.."), join(folder.path, "node_modules/troupe"));
symlinkSync(join(import.meta.dirname, "../../node_modules/zod"), join(folder.path, "node_modules/zod"));
const made = new Certificates("authority", "stranger");
made.issue("north", { by: "authority" });
made.issue("south", { by: "authority" });
made.issue("foreign", { by: "stranger" });
const secret = "words that only the environment holds";
process.env["TROUPE_TEST_TOKEN"] = secret;
process.env["TROUPE_TEST_OTHER_TOKEN"] = `not those ${secret}`;
afterAll(() => {
  folder.remove();
  made.remove();
});

async function serve(auth: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const args = [
    "node",
    "--listen",
    "127.0.0.1:0",
    "--agents",
    "agents.ts",
    "--name",
    "north",
    "--auth",
    auth,
    "--json",
  ];
  const child = startProgram(args, folder.path);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return { url: (JSON.parse(line) as { url: string }).url, child };
  throw new Error("the node said nothing");
}

function ask(url: string, name: string, auth: string): Promise<Finished> {
  const options = ["--connect", url, "--name", name, "--auth", auth, "--input", '"you"', "--json"];
  return troupe(["call", "greet", ...options], folder.path);
}

describe("--auth", () => {
  test.each([
    [
      "token:env:TROUPE_TEST_TOKEN",
      ["south", "token:env:TROUPE_TEST_TOKEN"],
      ["south", "token:env:TROUPE_TEST_OTHER_TOKEN"],
    ],
    ["ed25519:@north.json", ["south", "ed25519:@south.json"], ["west", "ed25519:@west.json"]],
    [`mtls:@${made.path}/north`, ["south", `mtls:@${made.path}/south`], ["foreign", `mtls:@${made.path}/foreign`]],
  ] as const)("%s lets the right process in, and refuses another with exit 1", async (auth, right, wrong) => {
    const { url, child } = await serve(auth);
    try {
      expect(url).toMatch(auth.startsWith("mtls") ? /^wss:/ : /^ws:/);
      const [welcome, refused] = await Promise.all([ask(url, right[0], right[1]), ask(url, wrong[0], wrong[1])]);
      expect(welcome).toEqual({ code: 0, stdout: '{"ok":true,"value":"Hello, you"}\n', stderr: "" });
      expect(refused).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/"remote\/unreachable".*4401/) as unknown,
      });
      const said = JSON.stringify([url, welcome, refused]);
      for (const hidden of [secret, "PRIVATE", ...Object.values(seeds)]) expect(said).not.toContain(hidden);
    } finally {
      child.kill("SIGINT");
    }
  });

  test.each([
    ["token:env:TROUPE_TEST_UNSET", "the environment has no TROUPE_TEST_UNSET"],
    ["ed25519:@half.json", "the file must be"],
    ["mtls:@empty", "cert.pem cannot be read"],
    ["mtls:@nowhere", "ca.pem cannot be read"],
  ])("%s is refused with exit 2 before anything is opened", async (auth, message) => {
    const { code, stdout, stderr } = await troupe(
      ["node", "--listen", "0", "--agents", "agents.ts", "--auth", auth],
      folder.path,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("44".repeat(8));
  });
});
