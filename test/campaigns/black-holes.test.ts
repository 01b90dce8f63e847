import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTroupe, defineAgent, type Troupe } from "troupe";
import { z } from "zod";
import { farewellMs } from "../../src/cli/peers/patience.ts";
import { goodbyeTimeoutMs } from "../../src/remote/websocket-pipe.ts";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";
import { makeFolder, troupe as runTroupe } from "../cli/command-line.ts";

/** What the user is ready to wait; where something must succeed first, a busy machine has time for it. */
const [soonMs, laterMs, longMs] = [1_000, 3_000, 30_000];
/** What a quiet machine may add; nothing that is waited for in vain here takes as little. */
const slackMs = 1_500;
/** A busy one may add so many times what the command takes there when all is well. */
const slackFactor = 5;

const folder = makeFolder();
let server: Troupe;
/** The most that a command adds to its deadlines here. */
let endMs = Number.NaN;
/** Somebody is served who is to be cut off meanwhile. */
let isServing = false;
const proxies: ChaosProxy[] = [];

const greeter = defineAgent({
  name: "greeter",
  concurrency: 8,
  capabilities: {
    greet: {
      input: z.string(),
      output: z.string(),
      run({ input }) {
        isServing ||= input === "slowly";
        return `Hello, ${input}`;
      },
    },
  },
});

beforeAll(async () => {
  server = await createTroupe({ node: "north", agents: [greeter] });
  await server.spawn(greeter);
  const wells = [];
  for (let each = 0; each < 2; each += 1) wells.push((await run(() => false, longMs, ...call)).tookMs);
  endMs = farewellMs + goodbyeTimeoutMs + slackMs + slackFactor * Math.max(...wells);
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await server.close();
  folder.remove();
});

/** Says with each piece of what goes to the command whether nothing passes any more from it on. */
type Hole = (heard: string) => boolean;

/** After the piece that says so. */
function after(sign: string): Hole {
  let isOver = false;
  return (heard) => {
    const wasOver = isOver;
    isOver ||= heard.includes(sign);
    return wasOver;
  };
}

/** Runs the command through a proxy; how it ended, and how long after it had knocked. */
async function run(hole: Hole, timeoutMs: number, ...args: readonly string[]) {
  const proxy = await ChaosProxy.open();
  proxies.push(proxy);
  const listener = await server.listen({ port: 0, hosts: [`127.0.0.1:${proxy.port}`] });
  proxy.target = Number(new URL(listener.url).port);
  let [knockedAt, silentAt] = [Number.NaN, Number.NaN];
  proxy.swallowsFrom = (piece, heading) => {
    if (Number.isNaN(knockedAt)) knockedAt = performance.now();
    const isOver = hole(heading === "toNear" ? piece.toString("latin1") : "");
    if (isOver && Number.isNaN(silentAt)) silentAt = performance.now();
    return isOver;
  };
  const all = [...args, "--connect", `ws://127.0.0.1:${proxy.port}/`, "--timeout", String(timeoutMs), "--json"];
  const { code, stdout } = await runTroupe(all, folder.path);
  const now = performance.now();
  return { code, stdout, tookMs: now - knockedAt, silentMs: now - silentAt };
}

const call = ["call", "greet", "--input", '"you"'] as const;
/** Everything that passes, and what comes after it does not. */
const stages: readonly (readonly [stage: string, hole: () => Hole])[] = [
  ["the first byte", () => () => true],
  ["the upgrade", () => (heard) => heard.includes('"t":"W"')],
  ["the handshake", () => after('"t":"W"')],
];

describe("where nothing passes any more, a command ends within its --timeout and a farewell", () => {
  test.each(stages)("troupe call: after %s", async (_, hole) => {
    const { code, stdout, tookMs } = await run(hole(), soonMs, ...call);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/remote\/unreachable.*within 1000 ms/) });
    expect(tookMs).toBeLessThan(soonMs + endMs);
  });

  test.each(stages)("troupe doctor: after %s", async (_, hole) => {
    const { code, stdout, tookMs } = await run(hole(), soonMs, "doctor");
    expect(code).toBe(1);
    expect(stdout).toMatch(/no answer within 1000 ms/);
    expect(tookMs).toBeLessThan(soonMs + endMs);
  });

  test("troupe call: after the listing", async () => {
    const { code, stdout, tookMs } = await run(after('"capabilities"'), laterMs, ...call);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("call/timeout") });
    expect(tookMs).toBeLessThan(laterMs + endMs);
  });

  test("troupe call: while an agent works on it", async () => {
    const { code, stdout, tookMs } = await run(() => isServing, laterMs, "call", "greet", "--input", '"slowly"');
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("call/timeout") });
    expect(tookMs).toBeLessThan(laterMs + endMs);
  });

  test.each([
    ["call", call, after('"Hello'), { code: 0, stdout: '{"ok":true,"value":"Hello, you"}\n' }],
    ["doctor", ["doctor"], after('"capabilities"'), { code: 0, stdout: expect.stringContaining("lets this one in") }],
  ] as const)("troupe %s: at its farewell, with its result", async (_, command, hole, result) => {
    const { code, stdout, silentMs } = await run(hole, longMs, ...command);
    expect({ code, stdout }).toEqual(result);
    expect(silentMs).toBeLessThan(endMs);
  });
});
