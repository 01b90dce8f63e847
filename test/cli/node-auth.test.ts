import type { ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { createSigner, importSeed } from "../../src/consensus/ed25519.ts";
import { Certificates } from "../remote/certificates.ts";
import { makeFolder, startProgram, startTroupe, troupe, type Finished } from "./command-line.ts";

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

async function serve(
  auth: string,
  ...more: readonly string[]
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
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
    // The one before may still be on its way out.
    "--store",
    ":memory:",
    "--json",
    ...more,
  ];
  const child = startProgram(args, folder.path);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return { url: (JSON.parse(line) as { url: string }).url, child };
  throw new Error("the node said nothing");
}

function ask(url: string, name: string, auth: string, ...more: readonly string[]): Promise<Finished> {
  const options = ["--connect", url, "--name", name, "--auth", auth, "--input", '"you"', "--json", ...more];
  return troupe(["call", "greet", ...options], folder.path);
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

async function examine(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly found: readonly Check[] }> {
  const { code, stdout } = await troupe(["doctor", "--name", "south", "--json", ...args], folder.path);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return { code, found: checks.filter(({ name }) => /^wss?:/.test(name)) };
}

describe("doctor --connect", () => {
  test("says that a node lets it in, and what to do where the token is wrong or TLS is not spoken", async () => {
    const { url, child } = await serve("token:env:TROUPE_TEST_TOKEN");
    try {
      const right = await examine("--connect", url, "--auth", "token:env:TROUPE_TEST_TOKEN");
      expect(right).toMatchObject({ code: 0, found: [{ name: url, ok: true }] });
      expect(right.found[0]?.message).toMatch(/^node north lets this one in .* 1 capabilities$/);
      const secure = url.replace("ws:", "wss:");
      const wrong = await examine("--connect", url, "--connect", secure, "--auth", "token:env:TROUPE_TEST_OTHER_TOKEN");
      expect(wrong.code).toBe(1);
      expect(wrong.found.map(({ message }) => message)).toEqual([
        expect.stringMatching(/4401.*the token is not accepted: give --auth/),
        expect.stringMatching(/4406.*does not speak TLS; use ws:/),
      ]);
      expect(JSON.stringify(wrong)).not.toContain(secret);
    } finally {
      child.kill("SIGINT");
    }
  });

  test("tells a door that asks for certificates, one of another version, and nobody at all apart", async () => {
    const { url, child } = await serve(`mtls:@${made.path}/north`);
    const other = createServer((_, response) => response.writeHead(426).end("protocol two only"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { readonly port: number };
    try {
      const urls = [url, `ws://127.0.0.1:${port}/`, "ws://127.0.0.1:1/"];
      const { code, found } = await examine(
        ...urls.flatMap((each) => ["--connect", each]),
        "--auth",
        `mtls:@${made.path}/foreign`,
      );
      expect(code).toBe(1);
      expect(found.map(({ message }) => message)).toEqual([
        expect.stringMatching(/4401.*check the certificates on both sides/),
        expect.stringMatching(/4406.*protocol two only.*the same version of troupe on both sides/),
        // The first answer was clear: nobody waits for a better one.
        expect.stringMatching(
          /^no session with ws:\/\/127\.0\.0\.1:1\/: nobody listens there \(ECONNREFUSED\); start the node/,
        ),
      ]);
    } finally {
      child.kill("SIGINT");
      other.close();
    }
  });

  test.each([["call", "greet", "--input", '"Ada"'], ["doctor"]])(
    "%s: Ctrl-C while a node is silent ends it with exit 130",
    async (...command) => {
      const silent = createTcpServer();
      const { promise: knocked, resolve } = Promise.withResolvers<Socket>();
      silent.on("connection", resolve);
      await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
      const { port } = silent.address() as { readonly port: number };
      try {
        const running = startTroupe([...command, "--connect", `ws://127.0.0.1:${port}/`], folder.path);
        const socket = await knocked;
        running.interrupt();
        expect(await running.finished).toMatchObject({
          code: 130,
          stdout: "",
          stderr: expect.stringContaining("interrupted"),
        });
        socket.destroy();
      } finally {
        silent.close();
      }
    },
  );

  test("refuses an address with a secret in it with exit 2", async () => {
    const { code, stderr } = await troupe(["doctor", "--connect", "ws://user:hunter2@127.0.0.1:1/"], folder.path);
    expect(code).toBe(2);
    expect(stderr).not.toContain("hunter2");
  });
});

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

  const north = `${made.path}/north`;
  const token = "token:env:TROUPE_TEST_TOKEN";

  test("a token goes together with TLS: --tls on the node, --ca where it is called", async () => {
    const { url, child } = await serve(token, "--tls", `${north}/cert.pem,${north}/key.pem`);
    try {
      expect(url).toMatch(/^wss:/);
      const trusted = ["--ca", `${north}/ca.pem`];
      const [welcome, other, trustless] = await Promise.all([
        ask(url, "south", token, ...trusted),
        ask(url, "south", "token:env:TROUPE_TEST_OTHER_TOKEN", ...trusted),
        ask(url, "south", token),
      ]);
      expect(welcome).toEqual({ code: 0, stdout: '{"ok":true,"value":"Hello, you"}\n', stderr: "" });
      expect(other).toMatchObject({ code: 1, stdout: expect.stringMatching(/4401.*token/) as unknown });
      expect(trustless).toMatchObject({ code: 1, stdout: expect.stringMatching(/not trusted/) as unknown });
      // Under the same name, and so not at the same time.
      const doctor = await examine("--connect", url, "--auth", token, ...trusted);
      expect(doctor).toMatchObject({ code: 0, found: [{ ok: true }] });
      const plain = await ask(url.replace("wss:", "ws:"), "south", token, ...trusted);
      expect(plain).toMatchObject({ code: 2, stdout: expect.stringMatching(/wss:/) as unknown });
    } finally {
      child.kill("SIGINT");
    }
  });

  test("and with --ca on the node each peer brings a certificate besides", async () => {
    const { url, child } = await serve(token, "--tls", `${north}/cert.pem,${north}/key.pem`, "--ca", `${north}/ca.pem`);
    const bring = (node: string): readonly string[] => [
      "--ca",
      `${north}/ca.pem`,
      "--tls",
      `${made.path}/${node}/cert.pem,${made.path}/${node}/key.pem`,
    ];
    try {
      const [welcome, foreign, secretless] = await Promise.all([
        ask(url, "south", token, ...bring("south")),
        ask(url, "foreign", token, ...bring("foreign")),
        ask(url, "south", "token:env:TROUPE_TEST_OTHER_TOKEN", ...bring("south")),
      ]);
      expect(welcome).toMatchObject({ code: 0, stdout: '{"ok":true,"value":"Hello, you"}\n' });
      expect(foreign).toMatchObject({ code: 1, stdout: expect.stringMatching(/4401/) as unknown });
      expect(secretless).toMatchObject({ code: 1, stdout: expect.stringMatching(/4401.*token/) as unknown });
    } finally {
      child.kill("SIGINT");
    }
  });

  test.each([
    ["name two files", ["--tls", `${north}/cert.pem`]],
    ["nothing.pem cannot be read", ["--tls", `${north}/cert.pem,${north}/nothing.pem`]],
    ["add --tls", ["--ca", `${north}/ca.pem`]],
    ["must be that of cert", ["--tls", `${north}/cert.pem,${made.path}/south/key.pem`]],
  ])("certificates that do not go together are refused with exit 2: %s", async (message, options) => {
    const args = ["node", "--listen", "127.0.0.1:0", "--agents", "agents.ts", "--auth", token, ...options];
    const { code, stdout, stderr } = await troupe(args, folder.path);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("PRIVATE");
  });

  test("a folder for mutual TLS brings its certificates, and takes no others beside them", async () => {
    const args = ["--listen", "0", "--agents", "agents.ts", "--auth", `mtls:@${north}`, "--ca", `${north}/ca.pem`];
    const { code, stderr } = await troupe(["node", ...args], folder.path);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("leave --tls and --ca out") as unknown,
    });
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
