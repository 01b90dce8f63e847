import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createTroupe, defineAgent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { endAll } from "../remote/yard.ts";

/** The browser, by the names it is installed under. */
const browser = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** How long nothing must come before it counts as nothing, in milliseconds of a real browser. */
const silenceMs = 2_000;

interface Posted {
  readonly origin: string;
  readonly data: { readonly type: string; readonly name?: string; readonly definition?: string };
}

const worker = defineAgent({
  name: "worker",
  capabilities: { work: { input: z.string(), output: z.string(), run: ({ input }) => input } },
});

/** A stand-in for the inspector's page, which greets as the real one does and reports back what it is told. */
class StandIn implements AsyncDisposable {
  readonly posted: Posted[] = [];
  readonly #server: Server;
  #heard: (() => void) | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(greeting: string): Promise<StandIn> {
    // One after the other: requests that are under way at once arrive in any order.
    const page = `<!doctype html><script>
      let last = Promise.resolve();
      addEventListener("message", ({ origin, data }) => {
        last = last.then(() => fetch("/told", { method: "POST", body: JSON.stringify({ origin, data }) }));
      });
      ${greeting}
    </script>`;
    const server = createServer((request, response) => {
      if (request.method !== "POST") return void response.setHeader("content-type", "text/html").end(page);
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        standIn.posted.push(JSON.parse(body) as Posted);
        response.end();
        standIn.#heard?.();
      });
    });
    const standIn = new StandIn(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/inspect`;
  }

  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) await new Promise<void>((resolve) => (this.#heard = resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Opens a page in a browser of its own; the browser is ended by disposal. */
function openPage(url: string): AsyncDisposable {
  const profile = mkdtempSync(join(tmpdir(), "troupe-browser-"));
  const argv = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--remote-debugging-port=0",
    `--user-data-dir=${profile}`,
  ];
  const child = spawn(browser ?? "", [...argv, url], { stdio: "ignore" });
  return {
    async [Symbol.asyncDispose]() {
      await endAll([child]);
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const greets = 'parent.postMessage({ type: "@statelyai.connected" }, "*");';

describe("the page in a real browser", () => {
  test.skipIf(browser === undefined)(
    "tells the inspector in its frame every actor, its chart and its states",
    async () => {
      await using standIn = await StandIn.open(greets);
      await using troupe = await createTroupe({ agents: [worker], inspect: { inspectorUrl: standIn.url } });
      await troupe.spawn(worker, { count: 2 });
      await using _page = openPage(troupe.inspector?.url ?? "");
      await standIn.until(() => standIn.posted.length > 15);
      await troupe.call("work", "x");
      const text = (): string => JSON.stringify(standIn.posted);
      await standIn.until(() => text().includes('"working"'));
      const actors = standIn.posted.flatMap(({ data }) => (data.type === "@xstate.actor" ? [data] : []));
      expect(actors.map(({ name }) => name)).toEqual(["troupe", "/worker", "/worker/1", "/worker/2"]);
      for (const { definition } of actors) expect(JSON.parse(definition ?? "{}")).toHaveProperty("states");
      const origin = new URL(troupe.inspector?.url ?? "").origin;
      expect(new Set(standIn.posted.map((posted) => posted.origin))).toEqual(new Set([origin]));
    },
  );

  test.skipIf(browser === undefined)(
    "tells nothing to a frame that does not greet, nor to one that has moved to another site",
    async () => {
      await using silent = await StandIn.open("");
      await using stranger = await StandIn.open(greets);
      await using moved = await StandIn.open(`location.replace(${JSON.stringify(stranger.url)});`);
      for (const { url } of [silent, moved]) {
        await using troupe = await createTroupe({ agents: [worker], inspect: { inspectorUrl: url } });
        await troupe.spawn(worker);
        await using _page = openPage(troupe.inspector?.url ?? "");
        await new Promise((resolve) => setTimeout(resolve, silenceMs));
      }
      expect([...silent.posted, ...moved.posted, ...stranger.posted]).toEqual([]);
    },
  );
});
