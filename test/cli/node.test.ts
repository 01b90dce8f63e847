import type { ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { createTroupe } from "troupe";
import { FakeClock } from "troupe/testing";
import { makeFolder, startProgram, troupe } from "./command-line.ts";

const folder = makeFolder({
  "agents.ts": `import { defineAgent } from "troupe";
import { z } from "zod";
export default defineAgent({
  name: "greeter",
  concurrency: 4,
  capabilities: {
    greet: { input: z.object({ name: z.string() }), output: z.string(), run: ({ input }) => "Hello, " + input.name },
    slow: {
      input: z.null(), output: z.string(),
      run: async ({ progress }) => { progress(0.1); await new Promise((done) => setTimeout(done, 300)); return "done"; },
    },
    hang: { input: z.null(), output: z.string(), run: ({ progress }) => { progress(0.1); return new Promise(() => {}); } },
  },
});
`,
  "secret.txt": "the secret of this test\n",
});
const modules = join(folder.path, "node_modules");
mkdirSync(modules);
symlinkSync(join(import.meta.dirname, "../.."), join(modules, "troupe"));
symlinkSync(join(import.meta.dirname, "../../node_modules/zod"), join(modules, "zod"));
afterAll(() => folder.remove());
const auth = { token: "the secret of this test" };

async function startNode(
  ...more: readonly string[]
): Promise<{ node: string; url: string; child: ChildProcess; ended: Promise<number | null> }> {
  const args = [
    "node",
    "--listen",
    "127.0.0.1:0",
    "--agents",
    "agents.ts",
    "--auth",
    "token:@secret.txt",
    "--json",
    ...more,
  ];
  const child = startProgram(args, folder.path);
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return { ...(JSON.parse(line) as { node: string; url: string }), child, ended };
  throw new Error("the node said nothing");
}

describe("troupe call --timeout", () => {
  test("is for connecting too: where nobody listens, no longer is tried", async () => {
    const args = ["call", "greet", "--connect", "ws://127.0.0.1:1/", "--timeout", "1000"];
    const { code, stderr, stdout } = await troupe(args, folder.path);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^troupe: no session with .*: no answer within 1000 ms; nobody listens there/);
  });

  test.each(["0", "-5", "soon", "3600001"])("%s is refused with exit 2, before anything is dialled", async (given) => {
    const args = ["call", "greet", "--connect", "ws://127.0.0.1:1/", `--timeout=${given}`];
    const { code, stderr } = await troupe(args, folder.path);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `troupe: --timeout ${given}: give a number of milliseconds, from 1 to 3600000\n`,
    });
  });
});

describe("troupe node", () => {
  test("serves another process with a token, drains on Ctrl-C and loses nothing", async () => {
    const { url, child, ended } = await startNode();
    const called = await troupe(
      ["call", "greet", "--connect", url, "--auth", "token:@secret.txt", "--input", '{"name":"you"}', "--json"],
      folder.path,
    );
    expect({ ...called, stderr: "" }).toMatchObject({ code: 0, stdout: '{"ok":true,"value":"Hello, you"}\n' });
    await using client = await createTroupe();
    await client.connect(url, { auth });
    const outcome = await client.call("slow", null, { onProgress: () => child.kill("SIGINT") });
    expect(outcome).toEqual({ ok: true, value: "done" });
    expect(await ended).toBe(130);
  });

  test("sends its peers on with --redirect when it is stopped", async () => {
    await using other = await createTroupe({ node: "other" });
    const { url: next } = await other.listen({ port: 0, auth });
    const { url, child, ended } = await startNode("--redirect", next);
    await using client = await createTroupe();
    const peer = await client.connect(url, { auth, redirects: [next] });
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    while (peer.state !== "up") await new Promise((resolve) => setImmediate(resolve));
    expect([peer.node, peer.url]).toEqual(["other", next]);
  });

  test("kill -9 of a node during a call: the call and the monitor each have one outcome", async () => {
    const { url, child, ended } = await startNode();
    const clock = new FakeClock(Date.now());
    await using client = await createTroupe({ ports: { clock } });
    const peer = await client.connect(url, { auth });
    const down = peer.ref("/greeter/1").monitor();
    const outcome = client.call("hang", null, { timeoutMs: 1_500, onProgress: () => child.kill("SIGKILL") });
    await ended;
    // The end of a process and that of its connections are heard of one after the other.
    while (peer.state === "up") await clock.settle();
    await clock.advance(1_500);
    const message = expect.stringMatching(
      /within 1500 ms; the link to ws:.* is down, so it is not known whether it was done$/,
    );
    expect(await outcome).toMatchObject({ ok: false, failure: { code: "call/timeout", message } });
    await peer.close();
    expect(await down).toMatchObject({ reason: "noconnection" });
  });

  test("a node that stands still (SIGSTOP) for a while loses nothing and answers once", async () => {
    const { url, child, ended } = await startNode();
    await using client = await createTroupe();
    await client.connect(url, { auth });
    const slow = client.call("slow", null, {
      onProgress: () => {
        child.kill("SIGSTOP");
        void client.call("greet", { name: "late" }, { timeoutMs: 300 }).then((late) => {
          expect(late).toMatchObject({ failure: { code: "call/timeout" } });
          child.kill("SIGCONT");
        });
      },
    });
    expect(await slow).toEqual({ ok: true, value: "done" });
    child.kill("SIGINT");
    expect(await ended).toBe(130);
  });

  test.each([
    [["--listen", "0.0.0.0:0", "--agents", "agents.ts"], "nobody would be asked who they are"],
    [["--listen", "0", "--agents", "agents.ts", "--auth", "token:hunter2"], "--auth: use one of"],
    [["--listen", "127.0.0.1:99999", "--agents", "agents.ts"], "a port is a number from 0 (any) to 65535"],
    [["--listen", "0", "--agents", "agents.ts", "--redirect", "nowhere"], "the address of a node looks like"],
  ])("refuses %j with exit 2", async (args, message) => {
    const { code, stderr, stdout } = await troupe(["node", ...args], folder.path);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("hunter2");
  });
});
