import { createMember, createTroupe, defineAgent, machineAgent, type Troupe, type Voter } from "troupe";
import { assign, fromPromise, setup } from "xstate";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { agentChart } from "../../machines/agent/machine.ts";
import { supervisorChart } from "../../machines/supervision/machine.ts";
import { shownActorsMax, shownMessagesMax, windowMs } from "../../src/inspect/feed.ts";
import { Inbox, LineLog, Receiver } from "./receiver.ts";

const worker = defineAgent({
  name: "worker",
  capabilities: {
    work: { input: z.string(), output: z.string(), run: ({ input }) => `done ${input}` },
    crash: {
      input: z.string(),
      output: z.string(),
      run: ({ input }) => {
        throw new Error(input);
      },
    },
  },
});

const vault = setup({
  types: {
    context: {} as { password: string; attempts: number; log: string },
    events: {} as { type: "try"; password: string } | { type: "close" },
  },
  actors: { count: fromPromise(async () => "counted") },
}).createMachine({
  id: "vault",
  context: { password: "hunter2", attempts: 0, log: "x".repeat(50_000) },
  initial: "shut",
  states: {
    shut: {
      on: { try: { target: "open", actions: assign({ attempts: ({ context }) => context.attempts + 1 }) } },
    },
    open: { invoke: { src: "count", id: "count", onDone: "counted" }, on: { close: "shut" } },
    counted: { on: { close: "shut" } },
  },
});

const keeper = machineAgent(vault).define({
  name: "keeper",
  capabilities: {
    "vault.open": {
      input: z.object({ password: z.string() }),
      output: z.number(),
      event: ({ password }) => ({ type: "try", password }),
      until: (snapshot) => snapshot.value === "counted",
      reply: (snapshot) => snapshot.context.attempts,
    },
  },
});

/** Every actor as it was introduced: its name, and the name of its parent. */
function treeOf(inbox: Inbox): { readonly name: string | undefined; readonly parent: string | undefined }[] {
  const actors = inbox.ofType("actor");
  const names = new Map(actors.map((actor) => [actor.sessionId, actor.name]));
  return actors.map(({ name, parentId }) => ({
    name,
    parent: parentId === undefined ? undefined : names.get(parentId),
  }));
}

/** The most actors that were introduced, and whose end had not been shown. */
function mostAtOnce({ messages }: Inbox): number {
  const live = new Set<string | undefined>();
  let most = 0;
  for (const { type, sessionId, snapshot } of messages) {
    if (type === "@xstate.actor") most = Math.max(most, live.add(sessionId).size);
    else if (type === "@xstate.snapshot" && snapshot?.status !== "active") live.delete(sessionId);
  }
  return most;
}

/** Closes a troupe, and waits for its last word: closing does not wait long for whoever watches. */
async function closeBefore(inbox: Inbox, troupe: Troupe): Promise<void> {
  const root = sessionOf(troupe, "/");
  await troupe.close();
  await inbox.until(() => inbox.states(root).at(-1) === "stopped");
}

function sessionOf(troupe: Troupe, path: string): string {
  const sessionId = troupe.actors().find(({ id }) => id === path)?.sessionId ?? undefined;
  if (sessionId === undefined) throw new Error(`no actor runs at ${path}`);
  return sessionId;
}

describe("a troupe that is inspected", () => {
  test("shows every actor with its chart, and the parent links of its supervision tree", async () => {
    await using receiver = await Receiver.open();
    await using troupe = await createTroupe({ agents: [worker], inspect: { url: receiver.url } });
    await troupe.spawn(worker, { count: 2 });
    await troupe.supervise({
      name: "shop",
      children: [
        { agent: keeper },
        {
          name: "floor",
          children: [
            { agent: worker, count: 2 },
            { name: "desk", children: [{ agent: worker }] },
          ],
        },
      ],
    });
    const actors = troupe.actors();
    expect(actors).toHaveLength(11);
    const { inbox } = receiver;
    await inbox.until(() => inbox.ofType("actor").length === actors.length);
    const bySession = new Map(inbox.ofType("actor").map((actor) => [actor.sessionId, actor]));
    const sessions = new Map(actors.map((actor) => [actor.id, actor.sessionId]));
    for (const { id, parent, sessionId, definition, type } of actors) {
      const shown = bySession.get(sessionId ?? "");
      expect(shown?.name).toBe(id === "/" ? "troupe" : id);
      expect(shown?.parentId ?? null).toBe(parent === null ? null : sessions.get(parent));
      expect(shown?.rootId).toBe(sessions.get("/"));
      const chart =
        definition === "keeper" ? vault.config : type === "agent" ? agentChart.config : supervisorChart.config;
      const drawn = JSON.parse(shown?.definition ?? "{}") as { id: string; states: object };
      expect(drawn.id).toBe(chart.id);
      expect(Object.keys(drawn.states).toSorted()).toEqual(Object.keys(chart.states ?? {}).toSorted());
      expect(shown?.snapshot?.value).toBe(definition === "keeper" ? "shut" : "starting");
    }
  });

  test("shows the charts of decisions, in both modes, below the root", async () => {
    await using receiver = await Receiver.open();
    const { inbox } = receiver;
    await using troupe = await createTroupe({ inspect: { url: receiver.url } });
    const voters = ["a", "b", "c", "d"].map((id): Voter => {
      const opinion = { recommendation: "yes", confidence: 0.9 };
      return { ...createMember({ id }), opine: async () => ({ ok: true, value: opinion }) };
    });
    for (const mode of ["ballot", "bft"] as const) {
      const { decisionId, option } = await troupe.decide({ mode, question: "Ship?", options: ["yes", "no"], voters });
      expect(option).toBe("yes");
      const names =
        mode === "ballot" ? [`/ballot/${decisionId}/1`] : ["a", "b", "c", "d"].map((id) => `/bft/${decisionId}/${id}`);
      await inbox.until(() => names.every((name) => inbox.ofType("actor").some((actor) => actor.name === name)));
      for (const name of names) {
        const shown = inbox.ofType("actor").find((actor) => actor.name === name);
        expect(shown?.parentId).toBe(sessionOf(troupe, "/"));
        await inbox.until(() =>
          inbox
            .ofType("snapshot")
            .some((each) => each.sessionId === shown?.sessionId && each.snapshot?.value === "decided"),
        );
      }
    }
  });

  test("shows the active state of every actor at each step of its life", async () => {
    await using receiver = await Receiver.open();
    const { inbox } = receiver;
    const troupe = await createTroupe({ inspect: { url: receiver.url } });
    const [ref] = await troupe.spawn(worker);
    const agent = sessionOf(troupe, "/worker/1");
    const [group, root] = [sessionOf(troupe, "/worker"), sessionOf(troupe, "/")];
    await troupe.call("work", "one");
    ref?.pause();
    ref?.resume();
    await closeBefore(inbox, troupe);
    expect(inbox.states(agent)).toEqual([
      "starting",
      "idle",
      "working",
      "idle",
      "paused",
      "idle",
      "draining",
      "stopped",
    ]);
    expect(inbox.states(group)).toEqual(["starting", "running", "stopping", "stopped"]);
    expect(inbox.states(root)).toEqual(["starting", "running", "stopping", "stopped"]);
    const last = inbox
      .ofType("snapshot")
      .filter(({ sessionId }) => sessionId === agent)
      .at(-1);
    expect(last?.snapshot?.status).toBe("done");
  });

  test("shows a crash, the supervisor that restarts, and the next incarnation as an actor of its own", async () => {
    await using receiver = await Receiver.open();
    const { inbox } = receiver;
    const troupe = await createTroupe({ agents: [worker], inspect: { url: receiver.url } });
    await troupe.spawn(worker, { restart: "permanent" });
    const first = sessionOf(troupe, "/worker/1");
    expect(await troupe.call("crash", "on purpose")).toMatchObject({ ok: false });
    expect(await troupe.call("work", "on")).toEqual({ ok: true, value: "done on" });
    const second = sessionOf(troupe, "/worker/1");
    const group = sessionOf(troupe, "/worker");
    await closeBefore(inbox, troupe);
    expect(second).not.toBe(first);
    expect(inbox.states(first)).toEqual(["starting", "idle", "working", "failed"]);
    expect(inbox.states(second).slice(0, 4)).toEqual(["starting", "idle", "working", "idle"]);
    expect(inbox.states(group)).toEqual(["starting", "running", "restarting", "running", "stopping", "stopped"]);
    const incarnations = inbox.ofType("actor").filter(({ name }) => name === "/worker/1");
    expect(incarnations.map(({ sessionId, parentId }) => ({ sessionId, parentId }))).toEqual([
      { sessionId: first, parentId: group },
      { sessionId: second, parentId: group },
    ]);
  });

  test("shows a machine of the user's own, the actors it invokes, and neither its secrets nor its bulk", async () => {
    await using receiver = await Receiver.open();
    const { inbox } = receiver;
    const troupe = await createTroupe({ agents: [keeper], inspect: { url: receiver.url } });
    await troupe.spawn(keeper);
    const machine = sessionOf(troupe, "/keeper/1");
    expect(await troupe.call("vault.open", { password: "hunter2" })).toEqual({ ok: true, value: 1 });
    await closeBefore(inbox, troupe);
    expect(inbox.states(machine)).toEqual(["shut", "open", "counted", "counted"]);
    expect(treeOf(inbox)).toContainEqual({ name: "/keeper/1/count", parent: "/keeper/1" });
    const invoked = inbox.ofType("actor").find(({ name }) => name === "/keeper/1/count")?.sessionId;
    const statuses = inbox
      .ofType("snapshot")
      .flatMap((got) => (got.sessionId === invoked ? [got.snapshot?.status] : []));
    expect(statuses).toEqual(["active", "done"]);
    const text = JSON.stringify(inbox.messages);
    expect(text).not.toContain("hunter2");
    expect(text).toContain("[redacted]");
    expect(text).toContain("[cut: 50000 characters in all]");
    expect(text.length).toBeLessThan(100_000);
  });

  test("with `true` it serves a page on loopback that is told the same, and says where", async () => {
    const log = new LineLog();
    const troupe = await createTroupe({ agents: [worker], inspect: true, ports: { log } });
    const url = troupe.inspector?.url ?? "";
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(log.of("info")).toEqual([`watch this troupe at ${url}`]);
    expect(await (await fetch(url)).text()).toContain("https://stately.ai/inspect");
    await troupe.spawn(worker);
    const inbox = new Inbox();
    const socket = new WebSocket(url);
    socket.on("message", (data) => inbox.hear(data));
    await inbox.until(() => inbox.states(sessionOf(troupe, "/worker/1")).includes("idle"));
    expect(treeOf(inbox)).toEqual([
      { name: "troupe", parent: undefined },
      { name: "/worker", parent: "troupe" },
      { name: "/worker/1", parent: "/worker" },
    ]);
    await troupe.close();
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });
});

describe("an inspector that is in trouble", () => {
  test("that cannot be reached leaves the troupe as it is, with one warning", async () => {
    const receiver = await Receiver.open();
    const { url } = receiver;
    await receiver[Symbol.asyncDispose]();
    const log = new LineLog();
    const troupe = await createTroupe({ agents: [worker], inspect: { url }, ports: { log } });
    await troupe.spawn(worker, { count: 3 });
    while (log.of("warn").length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await troupe.call("work", "x")).toEqual({ ok: true, value: "done x" });
    await troupe.close();
    expect(log.of("warn")).toEqual([expect.stringContaining("cannot be reached")]);
  });

  test("that is told of far too many actors shows the first of them, and says once what it leaves out", async () => {
    await using receiver = await Receiver.open();
    const log = new LineLog();
    const from = performance.now();
    const troupe = await createTroupe({ agents: [worker], inspect: { url: receiver.url }, ports: { log } });
    const { inbox } = receiver;
    await inbox.until(() => inbox.messages.length > 0);
    await troupe.spawn(worker, { count: 20_000 });
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => troupe.call("work", String(index))));
    expect(troupe.inspector?.leftOut()).toMatchObject({ actors: 20_000 + 2 - shownActorsMax });
    await troupe.close();
    expect(log.of("warn").toSorted()).toEqual([
      expect.stringContaining("more than"),
      expect.stringContaining(`at most ${shownActorsMax} actors`),
    ]);
    // While it closes, others take the places of those that have ended.
    expect(mostAtOnce(inbox)).toBeLessThanOrEqual(shownActorsMax);
    const windows = Math.ceil((performance.now() - from) / windowMs) + 1;
    // What still waits at the end comes on top.
    expect(inbox.messages.length).toBeLessThanOrEqual((windows + 2) * shownMessagesMax);
  });
});

describe("a place that cannot be", () => {
  test("a troupe that cannot start leaves no server behind", async () => {
    const first = await createTroupe({ inspect: true });
    const port = Number(new URL(first.inspector?.url ?? "").port);
    await first.close();
    const rest = { input: z.string(), output: z.string(), run: () => "rested" };
    const namesake = defineAgent({ name: "worker", capabilities: { rest } });
    await expect(createTroupe({ agents: [worker, namesake], inspect: { port } })).rejects.toThrow("declared already");
    const second = await createTroupe({ inspect: { port } });
    expect(second.inspector?.url).toBe(first.inspector?.url);
    await second.close();
  });

  test.each([
    [{ url: "stately.ai" }, "inspect.url is not an address"],
    [{ url: "file:///x" }, "inspect.url is not an address with one of ws: wss: http: https:"],
    [{ url: "ws://127.0.0.1:1/#x" }, "inspect.url has a fragment"],
    [{ port: 70_000 }, "inspect.port is 70000; it must be a whole number from 0"],
    [{ inspectorUrl: "javascript:alert(1)" }, "inspect.inspectorUrl is not an address with one of https: http:"],
  ])("is refused before anything runs: %j", async (inspect, message) => {
    await expect(createTroupe({ inspect })).rejects.toMatchObject({
      code: "usage/invalid-options",
      message: expect.stringContaining(message),
    });
  });
});
