import { expect } from "vitest";
import { addressCharactersMax, ttlMaxMs, typeCharactersMax } from "../../machines/wire/limits.ts";
import { actor, delivered, pairOf, patient, settled, tellAll, type Scenario } from "./transport-contract.ts";

/** What this side's own user asks for, and no frame may say. */
export const limits: readonly Scenario[] = [
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
