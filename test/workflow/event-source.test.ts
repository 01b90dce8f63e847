import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createTroupe, type EventSink, type EventSource } from "troupe";
import { makeFolder, setScene, task, workflow } from "./scene.ts";

/** A webhook as code hosts send it: a delivery id in a header, and a new delivery unless the answer is 2xx. */
function webhook(): EventSource & { url(): string; readonly opened: number } {
  let server: Server = createServer();
  let opened = 0;
  return {
    name: "hooks",
    get opened() {
      return opened;
    },
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async open({ emit }) {
      opened += 1;
      server = createServer((request, response) => {
        void (async () => {
          const body: Buffer[] = [];
          for await (const part of request) body.push(part as Buffer);
          const id = String(request.headers["x-delivery"]);
          const taken = await emit("push", JSON.parse(Buffer.concat(body).toString()), { id });
          response.writeHead(202).end(JSON.stringify(taken));
        })().catch(() => response.writeHead(503).end());
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      return {
        [Symbol.asyncDispose]: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
    },
  };
}

async function deliver(url: string, delivery: string, payload: object): Promise<{ isNew: boolean; started: string[] }> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "x-delivery": delivery },
    body: JSON.stringify(payload),
  });
  return (await answer.json()) as { isNew: boolean; started: string[] };
}

const deploy = workflow("deploy", [task("go", "echo", { input: "$.input.payload.commit" })], {
  triggers: [{ event: "push", match: "$.output.branch == 'main'" }],
});

test("a webhook starts what it triggers, once for each delivery, also when it comes again after a restart", async () => {
  using folder = makeFolder();
  const { store } = folder;
  const source = webhook();
  const first = await setScene({ clock: "real", options: { store, workflows: { sources: [source] } } });
  await first.troupe.workflows.define(deploy);
  const push = { branch: "main", commit: "abc" };
  const taken = await deliver(source.url(), "1", push);
  expect(taken).toMatchObject({ isNew: true, started: [expect.any(String)] });
  expect(await deliver(source.url(), "1", push)).toMatchObject({ isNew: false, started: [] });
  expect(await (await first.troupe.runs.get(taken.started[0] ?? "")).result()).toMatchObject({ ok: true });
  const closed = source.url();
  await first.close();
  await expect(fetch(closed)).rejects.toThrow("fetch failed");
  const second = await setScene({ clock: "real", options: { store, workflows: { sources: [source] } } });
  expect(source.opened).toBe(2);
  expect(await deliver(source.url(), "1", push)).toMatchObject({ isNew: false, started: [] });
  expect(await deliver(source.url(), "2", { branch: "dev" })).toMatchObject({ isNew: true, started: [] });
  await second.close();
});

test("ids of different sources, and of emit itself, do not meet", async () => {
  const sinks: EventSink[] = [];
  const plain = (name: string): EventSource => ({
    name,
    open(sink) {
      sinks.push(sink);
      return { [Symbol.asyncDispose]: () => Promise.resolve() };
    },
  });
  const { troupe, close } = await setScene({ options: { workflows: { sources: [plain("a"), plain("b")] } } });
  for (const sink of sinks) expect(await sink.emit("tick", 1, { id: "1" })).toMatchObject({ isNew: true });
  for (const sink of sinks) expect(await sink.emit("tick", 1, { id: "1" })).toMatchObject({ isNew: false });
  expect(await troupe.emit("tick", 1, { id: "1" })).toMatchObject({ isNew: true });
  expect(sinks.map(({ signal }) => signal.aborted)).toEqual([false, false]);
  await close();
  expect(sinks.map(({ signal }) => signal.aborted)).toEqual([true, true]);
});

test("a source that cannot be opened fails the start, and those before it are closed", async () => {
  let closed = 0;
  const good: EventSource = {
    name: "good",
    open: () => ({
      [Symbol.asyncDispose]: async () => {
        closed += 1;
        await Promise.resolve();
      },
    }),
  };
  const bad: EventSource = { name: "bad", open: () => Promise.reject(new Error("the port is taken")) };
  await expect(createTroupe({ workflows: { sources: [good, bad] } })).rejects.toMatchObject({
    code: "workflow/source-failed",
    message: expect.stringContaining('"bad" could not be opened: the port is taken') as unknown,
  });
  expect(closed).toBe(1);
});

test.each<[names: string[], message: RegExp]>([
  [["a", "a"], /two sources are named "a"/],
  [["a b"], /cannot be the name of a source/],
  [Array.from({ length: 101 }, (_, at) => `s${at}`), /there are 101; at most 100/],
])("names of sources are checked: %#", async (names, message) => {
  const sources = names.map((name): EventSource => ({
    name,
    open: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  }));
  await expect(createTroupe({ workflows: { sources } })).rejects.toThrow(message);
});
