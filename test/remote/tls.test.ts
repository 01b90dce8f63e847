import { get } from "node:https";
import { afterAll, describe, expect, test } from "vitest";
import { createMember, createTroupe, defineAgent, type ConnectOptions, type ListenOptions } from "troupe";
import { z } from "zod";
import { Certificates } from "./certificates.ts";

const made = new Certificates("authority", "stranger");
afterAll(() => made.remove());
const north = made.issue("north", { by: "authority" });
const south = made.issue("south", { by: "authority" });
const expired = made.issue("expired", { by: "authority", days: -1 });
const foreign = made.issue("foreign", { by: "stranger" });
const { ca } = north;
const token = "a secret for this test only";

const greeter = defineAgent({
  name: "greeter",
  capabilities: { greet: { input: z.string(), output: z.string(), run: ({ input }) => `Hello, ${input}` } },
});

/** Longer than a test may take: who is refused must be refused at once. */
const patienceMs = 120_000;

/** A node "north" that listens like this, and what becomes of a node that dials it like that. */
async function meet(
  listen: Omit<ListenOptions, "port">,
  connect: ConnectOptions & { readonly node?: string; readonly url?: (url: string) => string },
): Promise<{ readonly url: string; readonly peers: readonly string[]; readonly said: unknown }> {
  const { node = "south", url: change = (url: string) => url, ...options } = connect;
  await using server = await createTroupe({ node: "north", agents: [greeter] });
  await server.spawn(greeter);
  const listener = await server.listen({ port: 0, ...listen });
  await using client = await createTroupe({ node });
  try {
    await client.connect(change(listener.url), { timeoutMs: patienceMs, ...options });
    return { url: listener.url, peers: listener.peers, said: await client.call("greet", "Ada") };
  } catch (problem) {
    return { url: listener.url, peers: listener.peers, said: problem };
  }
}

const greeted = { ok: true, value: "Hello, Ada" };
const refused = (message: RegExp): unknown =>
  expect.objectContaining({ code: "remote/unreachable", message: expect.stringMatching(message) as unknown });

describe("mutual TLS", () => {
  test("lets the node in that its certificate names, under that name, and nobody else", async () => {
    const met = await meet({ tls: north }, { tls: south });
    expect(met).toEqual({ url: expect.stringMatching(/^wss:/) as unknown, peers: ["south"], said: greeted });
    const posing = await meet({ tls: north }, { tls: south, node: "west" });
    expect(posing).toMatchObject({ peers: [], said: refused(/4401.*the certificate does not name this node/) });
  });

  test.each([
    ["without a certificate", { ca }, "south", /4401.*a certificate is asked for, and none came/],
    ["with a certificate of another authority", { ...foreign, ca }, "foreign", /4401.*the certificate is not accepted/],
    ["with one that has expired", expired, "expired", /4401.*the certificate is not accepted: CERT_HAS_EXPIRED/],
    ["that does not know the listener's authority", { ...south, ca: foreign.ca }, "south", /4401.*not trusted/],
  ])("refuses a node %s, at once and with 4401", async (_, tls, node, message) => {
    const met = await meet({ tls: north }, { tls, node });
    expect(met).toMatchObject({ peers: [], said: refused(message) });
  });

  test("a dialler does not take another node for the one it dials, nor an expired one", async () => {
    const posing = await meet({ tls: foreign }, { tls: { ...south, ca: foreign.ca } });
    expect(posing.said).toEqual(refused(/4401/));
    const late = await meet({ tls: expired }, { tls: south });
    expect(late.said).toEqual(refused(/4401.*CERT_HAS_EXPIRED/));
    const named = await meet({ tls: { ...south, ca } }, { tls: south });
    expect(named.said).toEqual(refused(/4401.*does not name node north/));
  });

  test("is proof enough to listen off loopback, while TLS alone is not", async () => {
    await using server = await createTroupe({ node: "north" });
    const { cert, key } = north;
    const open = server.listen({ port: 0, host: "0.0.0.0", tls: { cert, key } });
    await expect(open).rejects.toMatchObject({ code: "usage/invalid-options" });
    await using listener = await server.listen({ port: 0, host: "0.0.0.0", tls: north });
    expect(listener.url).toMatch(/^wss:\/\/0\.0\.0\.0:/);
  });

  test("with a token besides: both are needed, and the certificate still names the node", async () => {
    const auth = { token };
    expect((await meet({ tls: north, auth }, { tls: south, auth })).said).toEqual(greeted);
    expect((await meet({ tls: north, auth }, { tls: south })).said).toEqual(refused(/4401.*more than a certificate/));
    expect((await meet({ tls: north, auth }, { tls: { ca }, auth })).said).toEqual(refused(/4401.*none came/));
    const posing = await meet({ tls: north, auth }, { tls: south, auth, node: "west" });
    expect(posing.said).toEqual(refused(/4401.*does not name this node/));
  });

  test("guards what else is served at the same door", async () => {
    await using server = await createTroupe({ node: "north" });
    await using listener = await server.listen({ port: 0, tls: north });
    const ask = (tls: object): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const url = listener.url.replace("wss:", "https:");
        get(url, { ...tls, agent: false }, (response) => resolve(response.resume().statusCode)).on("error", reject);
      });
    expect(await ask({ ca })).toBe(401);
    expect(await ask(south)).toBe(404);
  });
});

describe("TLS with another proof", () => {
  const { cert, key } = north;
  const keyed = (id: string): { readonly signer: ReturnType<typeof createMember>["signer"]; readonly key: string } => {
    const { signer, member } = createMember({ id });
    return { signer, key: member.publicKey };
  };

  test("carries a token, which no message repeats", async () => {
    const auth = { token };
    expect((await meet({ tls: { cert, key }, auth }, { tls: { ca }, auth })).said).toEqual(greeted);
    const wrong = await meet(
      { tls: { cert, key }, auth },
      { tls: { ca }, auth: { token: "another secret, quite wrong" } },
    );
    expect(wrong.said).toEqual(refused(/4401/));
    expect(String(wrong.said)).not.toMatch(/secret/);
  });

  test("binds the proof of a key to its channel", async () => {
    const [one, other] = [keyed("north"), keyed("south")];
    const there = { signer: one.signer, keys: { south: other.key } };
    const here = { signer: other.signer, keys: { north: one.key } };
    expect((await meet({ tls: { cert, key }, auth: there }, { tls: { ca }, auth: here })).said).toEqual(greeted);
    const off = { ...here, binding: "off" as const };
    // As it is where something in between ends the TLS: the two sides are not on one channel.
    expect((await meet({ tls: { cert, key }, auth: there }, { tls: { ca }, auth: off })).said).toEqual(
      refused(/4401.*the proof does not hold/),
    );
    const both = await meet({ tls: { cert, key }, auth: { ...there, binding: "off" } }, { tls: { ca }, auth: off });
    expect(both.said).toEqual(greeted);
  });
});

describe("two sides that do not fit together", () => {
  test("ws:// to a door with TLS says to use wss://", async () => {
    const { said } = await meet({ tls: north }, { url: (url) => url.replace("wss:", "ws:"), timeoutMs: 3_000 });
    expect(said).toEqual(refused(/use wss:\/\//));
  });

  test("wss:// to a door without TLS says to use ws://, at once", async () => {
    const { said } = await meet({}, { tls: south, url: (url) => url.replace("ws:", "wss:") });
    expect(said).toEqual(refused(/4406.*use ws:\/\//));
  });

  test.each([
    ["a key without its certificate", { key: north.key } as never, /cert/],
    ["a key of another certificate", { cert: north.cert, key: south.key }, /key must be that of cert/],
    ["no PEM at all", { cert: "certificate", key: "private words" }, /must be PEM/],
  ])("refuses %s before anything is opened, without repeating it", async (_, tls, message) => {
    await using troupe = await createTroupe();
    const listening = troupe.listen({ port: 0, tls });
    await expect(listening).rejects.toMatchObject({ code: "usage/invalid-options" });
    await expect(listening).rejects.toThrow(message);
    const dialling = troupe.connect("wss://127.0.0.1:1/", { tls });
    await expect(dialling).rejects.toThrow(message);
    await expect(dialling).rejects.not.toThrow(/PRIVATE|private words/);
  });
});
