import { FakeClock, seededIds } from "troupe/testing";
import { expect, test } from "vitest";
import { Requests } from "../../src/remote/requests.ts";
import { leavingOf } from "../../src/troupe/network/leaving.ts";
import { Peer } from "../../src/troupe/network/peer.ts";

test("a call that is out to a peer counts once, whether or not the peer's last heartbeat counted it", () => {
  const told = { load: 0 };
  const peer = new Peer(
    {
      node: () => "other",
      state: () => "up",
      heardAt: () => 0,
      load: () => told.load,
      requests: () => expect.fail("nothing is asked"),
      dead() {},
    },
    new FakeClock(),
  );
  const alone = peer.cost;
  const waits = (): number => Math.round(peer.cost / alone);
  peer.inFlight = 3;
  expect(waits()).toBe(4);
  told.load = 3;
  peer.loaded();
  expect([peer.load, waits()]).toEqual([3, 4]);
  peer.inFlight = 5;
  expect(waits()).toBe(6);
  // Others ask it too.
  told.load = 10;
  peer.loaded();
  expect(waits()).toBe(11);
  peer.inFlight = 0;
  expect(waits()).toBe(6);
});

test.each(["full", "down"] as const)("a call that a link which is %s refuses at once is not out", async (refusal) => {
  const clock = new FakeClock();
  const carrier = {
    peer: "other",
    measure: () => 1,
    refusal: () => refusal,
    isUp: () => true,
    send: () => expect.fail("it is refused"),
  };
  const requests = new Requests(carrier, { clock, prefix: "p", dead() {} });
  const peer = new Peer(
    { node: () => "other", state: () => "up", heardAt: () => 0, load: () => 0, requests: () => requests, dead() {} },
    clock,
  );
  const alone = peer.cost;
  const call = leavingOf({ capability: "work", input: null, options: {} }, { clock, ids: seededIds(1) });
  expect(await peer.call({ path: "/worker/1" }, call, undefined)).toMatchObject({ ok: false });
  expect([peer.inFlight, peer.cost]).toEqual([0, alone]);
});
