import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createMember, importSeed, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import type { Signer } from "../../src/ports/signer.ts";
import { webSocketWorld } from "../conformance/websocket-world.ts";
import { memoryWorld } from "../conformance/memory-world.ts";
import { delivered, tellAll } from "../conformance/transport-contract.ts";

function keyOf(seed: number): { signer: Signer; key: string } {
  const { signer } = createMember({ id: "node", privateKey: importSeed(new Uint8Array(32).fill(seed)) });
  return { signer, key: Buffer.from(signer.publicKey).toString("hex") };
}

const [alphaKey, betaKey, otherKey] = [keyOf(1), keyOf(2), keyOf(3)];
const verify = verifyEd25519;

describe.each([
  ["memory", memoryWorld],
  ["WebSocket", webSocketWorld],
])("keys over %s", (_, make) => {
  test("two nodes that know each other's keys talk, and resume after a cut", async () => {
    await using world = make({ seed: 3 });
    const alpha = await world.node("alpha");
    const keys = { alpha: alphaKey.key };
    const beta = await world.node("beta", { auth: { signer: betaKey.signer, keys, verify } });
    beta.host.start("/a");
    const link = world.dial(alpha, beta, { signer: alphaKey.signer, keys: { beta: betaKey.key }, verify });
    await world.until("it is up", () => link.state === "up");
    tellAll(link.session, "there", [0, 5]);
    world.cut();
    await world.until("they arrive", () => delivered(world, "there") === 5);
    expect(link.peer).toMatchObject({ node: "beta", inc: beta.remote.inc });
  });

  test("a dialer with another key is refused for good, and so is a listener with another key", async () => {
    await using world = make({ seed: 3 });
    const alpha = await world.node("alpha");
    const beta = await world.node("beta", { auth: { signer: betaKey.signer, keys: { alpha: alphaKey.key }, verify } });
    const wrong = world.dial(alpha, beta, { signer: otherKey.signer, keys: { beta: betaKey.key }, verify });
    const misled = world.dial(alpha, beta, { signer: alphaKey.signer, keys: { beta: otherKey.key }, verify });
    await world.until("both are down", () => wrong.state === "down" && misled.state === "down");
    await expect(wrong.ready()).rejects.toThrow(/4401.*the key is not known here/);
    await expect(misled.ready()).rejects.toThrow(/4401.*the key of node beta is not the expected one/);
    expect(beta.remote.sessions).toEqual([]);
  });
});

describe("a WebSocket door", () => {
  /** What comes back to these lines, until the other side hangs up. */
  function say(port: number, lines: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("error", () => socket.destroy());
      socket.on("close", () => resolve(text));
      socket.write(lines.join("\r\n"));
    });
  }

  test("answers 426 to a client that does not speak the protocol, before it upgrades", async () => {
    await using world = webSocketWorld({ seed: 1 });
    const beta = await world.node("beta");
    const { host, port } = new URL(beta.url);
    const lines = ["GET / HTTP/1.1", `host: ${host}`, "connection: upgrade", "upgrade: websocket"];
    const key = ["sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="];
    expect(await say(Number(port), [...lines, ...key, "", ""])).toMatch(/^HTTP\/1.1 426 /);
    expect(await say(Number(port), [...lines, ...key, "sec-websocket-protocol: troupe.v9.json", "", ""])).toMatch(
      /^HTTP\/1.1 426 /,
    );
  });

  test("hangs up on a client that says its first word too slowly", async () => {
    await using world = webSocketWorld({ seed: 1 });
    const beta = await world.node("beta");
    const pipe = await world.pipe(beta);
    const closed = new Promise<number>((resolve) =>
      pipe.listen({ frame() {}, drained() {}, closed: (code) => resolve(code) }),
    );
    expect(beta.remote.strangers).toBe(1);
    expect(await closed).toBe(4408);
    expect(beta.remote.strangers).toBe(0);
  });
});
