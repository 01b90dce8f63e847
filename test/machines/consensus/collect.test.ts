import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, idleCollection, type CollectState } from "../../../machines/consensus/ballot/collect.ts";
import type { CollectEffect } from "../../../machines/consensus/ballot/effects.ts";
import type { CollectEvent } from "../../../machines/consensus/ballot/events.ts";
import type { AdmittedBallot } from "../../../machines/consensus/ballot/admission.ts";
import { certify } from "../../../machines/consensus/certificate/certificate.ts";
import { convene, equals, single } from "../../consensus/council.ts";

const council = await convene(equals(5), { method: "single" });
const { round, proposal } = council;
const { closesAt } = round.proposal;

function run(
  events: readonly CollectEvent[],
  from: CollectState = idleCollection,
): { state: CollectState; effects: CollectEffect[] } {
  const effects: CollectEffect[] = [];
  let state = from;
  for (const event of events) {
    const [next, more] = collect(state, event);
    state = next;
    effects.push(...more);
  }
  return { state, effects };
}

function open(close: "early" | "all" = "early"): CollectEvent {
  return { type: "round.open", round, close };
}

function receive(at: number, ...ballots: AdmittedBallot[]): CollectEvent {
  return { type: "ballots.received", at, ballots };
}

async function votes(voters: string, option: string): Promise<AdmittedBallot[]> {
  return await Promise.all(Array.from(voters, (voter) => council.cast(voter, single(option))));
}

function namesOf(effects: readonly CollectEffect[]): string[] {
  return effects.map((effect) => (effect.type === "recordBallot" ? effect.params.row : effect.type));
}

describe("the collecting of a round", () => {
  it("opens, counts, closes early, waits for the coordinator's signature, and announces", async () => {
    const opened = run([open()]);
    expect(opened.effects).toEqual([{ type: "scheduleClose", params: { at: closesAt } }]);
    const counted = run([receive(1, ...(await votes("abcd", "x")))], opened.state);
    expect(namesOf(counted.effects)).toEqual(["accepted", "accepted", "accepted", "accepted", "signClosing"]);
    expect(counted.state).toMatchObject({ phase: "tally", draft: { status: "decided", option: "x", voided: [] } });
    const signed = run([{ type: "closing.signed", sig: "ab" }], counted.state);
    expect(namesOf(signed.effects)).toEqual(["announceResult"]);
    expect(signed.state).toMatchObject({ phase: "decided", closingSig: "ab" });
  });

  it("counts all ballots of one message before it considers the close", async () => {
    const [a, b, c] = await votes("abc", "x");
    const both = [...(await votes("d", "x")), ...(await votes("d", "y"))];
    const { state } = run([open(), receive(1, a!, b!, c!), receive(2, ...both)]);
    expect(state.phase).toBe("collect");
    expect(state.evidence).toHaveLength(1);
    expect(run([receive(3, ...(await votes("e", "x")))], state).state).toMatchObject({
      phase: "tally",
      tally: { option: "x", voided: 1 },
    });
  });

  it("takes ballots of one message as it takes them one by one: first, repeated, contradicting, late and strange ones", async () => {
    const own = await Promise.all(["x", "y", "z"].map((option) => votes("abcd", option)));
    const [one] = own.flat();
    const stranger = { ...one!, body: { ...one!.body, voter: "stranger" }, digest: "00".repeat(32) };
    const pool = [...own.flat(), stranger];
    const sent = fc.array(fc.constantFrom(...pool), { maxLength: 12 });
    const at = fc.constantFrom(1, closesAt, closesAt + 1);
    fc.assert(
      fc.property(sent, sent, at, (before, ballots, moment) => {
        const begun = run([open("all"), ...before.map((ballot) => receive(1, ballot))]).state;
        const apart = run(
          ballots.map((ballot) => receive(moment, ballot)),
          begun,
        );
        expect(run([receive(moment, ...ballots)], begun)).toEqual(apart);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps its certificate when a voter is found to vote twice after the close: evidence only (§3.4)", async () => {
    const decided = run([open(), receive(1, ...(await votes("abcd", "x"))), { type: "closing.signed", sig: null }]);
    const before = certify(decided.state, { proposal, closing: null });
    const after = run([receive(2, ...(await votes("a", "y")))], decided.state);
    expect(namesOf(after.effects)).toEqual(["late", "reportEvidence"]);
    expect(after.state.evidence).toMatchObject([{ voter: "a" }]);
    expect(after.state.tally).toEqual(decided.state.tally);
    expect(certify(after.state, { proposal, closing: null })).toEqual(before);
    const again = run([receive(3, ...(await votes("a", "z")))], after.state);
    expect(namesOf(again.effects)).toEqual(["late"]);
  });

  it("counts a ballot one millisecond before the close and not one after, identically on replay (fault matrix, row 7)", async () => {
    const [ballot] = await votes("a", "x");
    for (const [at, row] of [
      [closesAt - 1, "accepted"],
      [closesAt, "accepted"],
      [closesAt + 1, "late"],
    ] as const) {
      const first = run([open("all"), receive(at, ballot!)]);
      expect(namesOf(first.effects)).toEqual(["scheduleClose", row]);
      expect(run([open("all"), receive(at, ballot!)])).toEqual(first);
    }
  });

  it("closes when every member has voted or is lost, and names nobody a second time", async () => {
    const lost = (voter: string): CollectEvent => ({ type: "voter.lost", voter, reason: "failed" });
    const { state, effects } = run([
      open("all"),
      receive(1, ...(await votes("abc", "x"))),
      lost("d"),
      lost("d"),
      lost("stranger"),
      lost("e"),
    ]);
    expect(namesOf(effects).at(-1)).toBe("signClosing");
    expect(state).toMatchObject({
      phase: "tally",
      lost: [null, null, null, "failed", "failed"],
      tally: { status: "no-quorum" },
    });
  });

  it("takes a ballot from a member it had given up, while the round is open", async () => {
    const { state } = run([
      open("all"),
      { type: "voter.lost", voter: "a", reason: "failed" },
      receive(1, ...(await votes("a", "x"))),
    ]);
    expect(state.casts[0]?.ballot.body.voter).toBe("a");
  });

  it("changes nothing on events that do not fit its phase", async () => {
    const stray: CollectEvent[] = [
      receive(1, ...(await votes("a", "x"))),
      { type: "ballot.refused", row: "forged" },
      { type: "voter.lost", voter: "a", reason: "silent" },
      { type: "time.expired", at: closesAt },
      { type: "closing.signed", sig: null },
    ];
    for (const event of stray) expect(collect(idleCollection, event)).toEqual([idleCollection, []]);
    const { state } = run([open()]);
    for (const event of [
      open(),
      { type: "closing.signed", sig: null },
      { type: "time.expired", at: closesAt - 1 },
    ] as const) {
      expect(collect(state, event)).toEqual([state, []]);
    }
  });
});
