import { expect, test } from "vitest";
import { createTroupe, defineAgent, type Troupe } from "troupe";
import { z } from "zod";

const auth = { token: "a secret for this test only" };
const greeter = defineAgent({
  name: "greeter",
  capabilities: { greet: { input: z.null(), output: z.string(), run: () => "hello" } },
});

async function serve(port = 0, token = auth.token): Promise<{ troupe: Troupe; port: number }> {
  const troupe = await createTroupe({ node: "server" });
  await troupe.spawn(greeter);
  const { url } = await troupe.listen({ port, auth: { token } });
  return { troupe, port: Number(new URL(url).port) };
}

/** Waits for the turn of events that makes it so; the test's own deadline bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test("a node that left in good order is connected again when it is back, and its refs are good again", async () => {
  const first = await serve();
  await using client = await createTroupe({ node: "client" });
  const peer = await client.connect(`ws://127.0.0.1:${first.port}/`, { auth });
  const ref = peer.ref("/greeter/1");
  await first.troupe.close();
  await until(() => peer.state === "connecting");
  expect(await client.call("greet", null)).toMatchObject({ failure: { code: "dispatch/no-agent" } });
  await peer.refresh();
  const again = await serve(first.port);
  await until(() => peer.state === "up" && peer.capabilities.includes("greet"));
  expect(await client.call("greet", null)).toEqual({ ok: true, value: "hello" });
  expect(await ref.call("greet", null)).toEqual({ ok: true, value: "hello" });
  expect([peer.isHealthy, ref.node]).toEqual([true, "server"]);
  await again.troupe.close();
});

test("one that lets this node in no more is given up", async () => {
  const first = await serve();
  await using client = await createTroupe({ node: "client" });
  const peer = await client.connect(`ws://127.0.0.1:${first.port}/`, { auth });
  await first.troupe.close();
  const again = await serve(first.port, "another secret for this test");
  await until(() => peer.state === "down");
  expect(await peer.ref("/greeter/1").call("greet", null)).toMatchObject({ failure: { code: "remote/unreachable" } });
  await again.troupe.close();
});

test("nothing is dialled any more when this side has closed the link", async () => {
  const first = await serve();
  await using client = await createTroupe({ node: "client" });
  const peer = await client.connect(`ws://127.0.0.1:${first.port}/`, { auth });
  await first.troupe.close();
  await until(() => peer.state === "connecting");
  await peer.close();
  expect(peer.state).toBe("down");
});
