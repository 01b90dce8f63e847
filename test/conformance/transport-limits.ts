import { expect } from "vitest";
import { addressCharactersMax, ttlMaxMs, typeCharactersMax } from "../../machines/wire/limits.ts";
import { guestAt, messagesOf } from "./transport-strangers.ts";
import { actor, delivered, pairOf, patient, settled, tellAll, type Scenario } from "./transport-contract.ts";

/** What one side takes, and what the other's own user asks for, and no frame may say. */
export const limits: readonly Scenario[] = [
  [
    "no more bytes are out than the other side takes, but one message always may go",
    async (world) => {
      const { beta } = await pairOf(world);
      const [guest] = await guestAt(world, beta, { lim: { frame: 1_048_576, msgs: 1_000, bytes: 6_000 } });
      const session = beta.remote.sessions.find(({ peer }) => peer === "stranger");
      const text = "x".repeat(1_000);
      for (let id = 0; id < 20; id += 1) session?.requests.tell(actor, "t", { input: [id, text] });
      session?.requests.tell(actor, "t", { input: [20, text.repeat(20)] });
      const heard = (): readonly unknown[] => messagesOf(guest).map(({ s }) => s);
      await world.until("the first ones arrive", () => heard().length >= 4);
      await world.pass(40);
      expect(heard().length).toBeLessThanOrEqual(6);
      for (let all = 0; all < 21; all = heard().length) {
        guest.say({ t: "A", a: all, l: 1_000 });
        await world.until("more arrive", () => heard().length > all);
        await world.pass(10);
        expect(heard().length - all).toBeLessThanOrEqual(6);
      }
      expect(heard()).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    },
  ],
  [
    "what is more than a frame may say is told to the caller or cut to its limit, and costs no session",
    async (world) => {
      const { alpha, beta, link } = await pairOf(world);
      const { session } = link;
      const { requests } = session;
      for (const timeoutMs of [ttlMaxMs, ttlMaxMs + 1, 1e15, Number.POSITIVE_INFINITY]) {
        const options = { timeoutMs, deadlineAt: timeoutMs > 1e15 ? timeoutMs : undefined, hops: 99 };
        const outcome = await settled(world, requests.call(actor, "echo", { input: 1, options }));
        expect(outcome).toEqual({ ok: true, value: 1 });
      }
      for (const { ttlMs, hops } of beta.host.calls)
        expect([ttlMs > 0, ttlMs <= ttlMaxMs, hops]).toEqual([true, true, 15]);
      const far = { path: `/${"x".repeat(addressCharactersMax)}` };
      const long = "x".repeat(typeCharactersMax + 1);
      const asked = [
        requests.call(far, "echo", { input: 1, options: patient }),
        requests.call(actor, long, { input: 1, options: patient }),
        requests.spawn(long, {}, patient),
      ];
      for (const outcome of await settled(world, Promise.all(asked)))
        expect(outcome).toMatchObject({ failure: { code: "remote/unsendable" } });
      expect(await settled(world, requests.monitor(far))).toEqual({ reason: "noproc" });
      expect([requests.tell(far, "there", { input: 1 }), requests.tell(actor, long, { input: 1 })]).toEqual([
        "stopped",
        "stopped",
      ]);
      expect(alpha.dead.map(({ reason }) => reason)).toEqual([
        expect.stringContaining("an address of 257 characters"),
        expect.stringContaining("a capability of 129 characters"),
      ]);
      requests.stop(far);
      tellAll(session, "there", [2, 5]);
      await world.until("the session goes on", () => delivered(world, "there") === 3);
      expect(link.session).toBe(session);
    },
  ],
];
