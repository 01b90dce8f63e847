import { describe, expect, it } from "vitest";
import {
  acceptanceRows,
  admitBallot,
  type AcceptanceRow,
  type Admission,
} from "../../../machines/consensus/ballot/admission.ts";
import {
  collect,
  idleCollection,
  isBallotKnown,
  type CollectState,
} from "../../../machines/consensus/ballot/collect.ts";
import type { CollectEvent } from "../../../machines/consensus/ballot/events.ts";
import { sealableOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { sha256, verifyEd25519 } from "../../../src/consensus/ed25519.ts";
import { admitted, approve, convene, equals, single } from "../../consensus/council.ts";

const council = await convene(equals(5), { method: "single" });
const { round } = council;
const honest = await council.sign(council.body("a", single("x"), 0.9));
const tested = new Set<AcceptanceRow>();

function admit(message: unknown): Admission {
  return admitBallot(message, round, { hash: sha256, verify: verifyEd25519 });
}

function rowOf(message: unknown): string {
  const admission = admit(message);
  const row = admission.admitted ? "accepted" : admission.row;
  tested.add(row);
  return row;
}

function run(...events: CollectEvent[]): CollectState {
  const opened: CollectEvent = { type: "round.open", round, close: "all" };
  return [opened, ...events].reduce((state, event) => collect(state, event)[0], idleCollection);
}

function received(at: number, ...ballots: (typeof honest)[]): CollectEvent {
  return { type: "ballots.received", at, ballots: ballots.map((ballot) => admitted(ballot, round)) };
}

function rowsOf(state: CollectState): string[] {
  const met = acceptanceRows.filter((row) => state.recorded[row] > 0);
  for (const row of met) tested.add(row);
  return met;
}

describe("the acceptance table (consensus design §3.2)", () => {
  it("accepts a well-formed ballot of a member whose signature holds", () => {
    expect(rowOf(honest)).toBe("accepted");
  });

  it("drops what is no ballot as malformed, before any signature is checked", () => {
    const verifies: string[] = [];
    const malformed: unknown[] = [
      undefined,
      null,
      "I vote for x",
      [],
      {},
      { body: honest.body },
      { ...honest, sig: honest.sig.toUpperCase() },
      { ...honest, sig: "00" },
      { ...honest, extra: 1 },
      { ...honest, body: { ...honest.body, extra: 1 } },
      { ...honest, body: { ...honest.body, confidence: Number.NaN } },
      { ...honest, body: { ...honest.body, confidence: Number.POSITIVE_INFINITY } },
      { ...honest, body: { ...honest.body, confidence: 0.5 } },
      { ...honest, body: { ...honest.body, confidence: 10_001 } },
      { ...honest, body: { ...honest.body, v: 2 } },
      { ...honest, body: { ...honest.body, voter: "__proto__" } },
      { ...honest, body: { ...honest.body, choice: single("nobody's option") } },
      { ...honest, body: { ...honest.body, choice: approve("x") } },
      { ...honest, body: { ...honest.body, choice: { kind: "ranked", order: [] } } },
      { ...honest, body: { ...honest.body, choice: { kind: "single", option: "\ud800" } } },
      { ...honest, body: { ...honest.body, concerns: ["x".repeat(281)] } },
      { ...honest, body: { ...honest.body, concerns: Array.from({ length: 17 }, () => "x") } },
    ];
    for (const message of malformed) {
      const verify = (): boolean => verifies.push("called") > 0;
      const admission = admitBallot(message, round, { hash: sha256, verify });
      expect(admission, JSON.stringify(message)).toMatchObject({ admitted: false, row: "malformed" });
    }
    tested.add("malformed");
    expect(verifies).toEqual([]);
  });

  it("drops an approval that names an option twice as malformed", async () => {
    const approval = await convene(equals(5), { method: "approval" });
    const ballot = await approval.sign(approval.body("a", approve("x", "x")));
    expect(admitBallot(ballot, approval.round, { hash: sha256, verify: verifyEd25519 })).toMatchObject({
      row: "malformed",
    });
  });

  it("drops a replay from another decision, round, electorate or proposal as stale, though its signature holds", async () => {
    const others = await Promise.all([
      convene(equals(5), { method: "single", decisionId: "decision-2" }),
      convene(equals(5), { method: "single", round: 2 }),
      convene(equals(4), { method: "single" }),
      convene(equals(5), { method: "single", options: ["other", "names"] }),
    ]);
    for (const other of others) {
      const option = other.proposal.body.options[0]?.id ?? "";
      expect(rowOf(await other.sign(other.body("a", single(option))))).toBe("stale");
    }
  });

  it("drops a signature made for another kind of message as forged (domain tag)", async () => {
    const { signBytes } = sealableOf("closing", honest.body, sha256);
    const sig = Buffer.from((await council.signers.get("a")?.sign(signBytes)) ?? []).toString("hex");
    expect(rowOf({ body: honest.body, sig })).toBe("forged");
  });

  it("checks a forged signature once, as it does a good one", () => {
    const flipped = (honest.sig.startsWith("0") ? "1" : "0") + honest.sig.slice(1);
    for (const sig of [honest.sig, flipped]) {
      let checks = 0;
      const verify: typeof verifyEd25519 = (...given) => {
        checks += 1;
        return verifyEd25519(...given);
      };
      const { admitted } = admitBallot({ ...honest, sig }, round, { hash: sha256, verify });
      expect({ admitted, checks }).toEqual({ admitted: sig === honest.sig, checks: 1 });
    }
  });

  it("drops a ballot of somebody who is not in the electorate as unknownVoter", async () => {
    const wider = await convene(equals(6), { method: "single" });
    const body = {
      ...wider.body("f", single("x")),
      electorateDigest: round.electorateDigest,
      proposalDigest: round.proposalDigest,
    };
    expect(rowOf(await wider.sign(body))).toBe("unknownVoter");
  });

  it("drops a ballot that states a weight as weightClaim: weight is read from the electorate only", () => {
    expect(rowOf({ ...honest, body: { ...honest.body, weight: 1_000 } })).toBe("weightClaim");
  });

  it("drops a bad signature as forged: changed bits, another member's key, changed content, or S + L", async () => {
    const flipped = (honest.sig.startsWith("0") ? "1" : "0") + honest.sig.slice(1);
    expect(rowOf({ ...honest, sig: flipped })).toBe("forged");
    const others = await council.sign(council.body("b", single("x"), 0.9));
    expect(rowOf({ body: honest.body, sig: others.sig })).toBe("forged");
    expect(rowOf({ body: { ...honest.body, choice: single("y") }, sig: honest.sig })).toBe("forged");
    // S + L verifies the same equation; RFC 8032 §5.1.7 refuses it, and so does the one verifier.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const bytes = Buffer.from(honest.sig, "hex");
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
    const malleated = Buffer.concat([
      bytes.subarray(0, 32),
      Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse(),
    ]);
    expect(rowOf({ body: honest.body, sig: malleated.toString("hex") })).toBe("forged");
  });

  it("takes the same content again as a duplicate, without looking at the signature", () => {
    const once = run(received(1, honest));
    const twice = collect(once, received(2, honest))[0];
    expect(rowsOf(twice)).toEqual(["accepted", "duplicate"]);
    expect({ ...twice, recorded: null }).toEqual({ ...once, recorded: null });
    const resigned = { body: honest.body, sig: "11".repeat(64) };
    const admission = admitBallot(resigned, round, {
      hash: sha256,
      verify: () => {
        throw new Error("the signature of a known ballot is not checked again");
      },
      isKnown: (voter, digest) => isBallotKnown(once, voter, digest),
    });
    expect(admission).toMatchObject({ admitted: true, memoHit: true });
  });

  it("keeps two different ballots of one voter as equivocation: void for options and for participation", async () => {
    const other = await council.sign(council.body("a", single("y")));
    const state = run(received(1, honest), received(2, other));
    expect(rowsOf(state)).toEqual(["accepted", "equivocation"]);
    expect(state.evidence).toHaveLength(1);
    expect(state.evidence[0]).toMatchObject({
      kind: "DuplicateBallot",
      voter: "a",
      decisionId: "decision-1",
      round: 1,
    });
    expect(new Set(state.evidence[0]?.ballots.map(({ sig }) => sig))).toEqual(new Set([honest.sig, other.sig]));
  });

  it("counts a ballot at the closing time, and lists one a millisecond later as late", () => {
    const { closesAt } = round.proposal;
    expect(rowsOf(run(received(closesAt, honest)))).toEqual(["accepted"]);
    const late = run(received(closesAt + 1, honest));
    expect(rowsOf(late)).toEqual(["late"]);
    expect(late.casts.every((cast) => cast === null)).toBe(true);
    expect(late.late[0]?.sig).toBe(honest.sig);
  });

  it("counts only what was committed to, where the round begins with commitments", async () => {
    const secret = await convene(equals(2), { method: "single", commitClosesAt: 1_000 });
    const ballots = await Promise.all(["a", "b"].map((voter) => secret.cast(voter, single("x"))));
    const events: CollectEvent[] = [
      { type: "commit.received", at: 1, voter: "a", commitment: "c1" },
      { type: "time.expired", at: 1_000 },
      { type: "ballots.received", at: 1_001, ballots: ballots.map((ballot) => ({ ...ballot, commitment: "c2" })) },
    ];
    const opened: CollectEvent = { type: "round.open", round: secret.round, close: "all" };
    const state = [opened, ...events].reduce((current, event) => collect(current, event)[0], idleCollection);
    expect(rowsOf(state)).toEqual(["uncommitted", "badReveal"]);
    expect(state.casts).toEqual([null, null]);
  });

  it("has a test for every row", () => {
    expect([...tested].sort()).toEqual([...acceptanceRows].sort());
  });
});
