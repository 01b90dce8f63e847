import { describe, expect, it } from "vitest";
import { proposerOf } from "../../../../machines/consensus/bft/council.ts";
import type { DurableState } from "../../../../machines/consensus/bft/state.ts";
import { fine, Scene } from "./scene.ts";

/** Somebody who proposes in round 0. */
function proposerScene(): Scene {
  return new Scene([1, 1, 1, 1], proposerOf(new Scene().council, 0));
}

describe("the transition table, row by row", () => {
  it("L11: a proposer with a valid value proposes it again, with its round and its polka", () => {
    const scene = new Scene([1, 1, 1, 1], proposerOf(new Scene().council, 1)).start();
    scene.propose("v").vote("prevote", scene.others, { value: "v" });
    expect(scene.state).toMatchObject({ validRound: 0, validValue: "v" });
    scene.expire("precommit");
    expect(scene.fired).toBe("L65 L11");
    const [proposed] = scene.effectsOf("propose");
    expect(proposed).toMatchObject({ round: 1, value: "v", validRound: 0 });
    expect(proposed?.polka.map(({ voter }) => voter)).toEqual(scene.others);
  });

  it("L18: a proposer without a valid value asks for one, and proposes it when it is ready", () => {
    const scene = proposerScene().start();
    expect(scene.fired).toBe("L18");
    expect(scene.effectsOf("requestValue")).toEqual([{ round: 0 }]);
    expect(scene.effectsOf("setTimer").map(({ kind }) => kind)).toContain("propose");
    scene.tell({ type: "value.ready", round: 0, value: "v" });
    expect(scene.effectsOf("propose")).toEqual([{ round: 0, value: "v", validRound: -1, polka: [] }]);
    scene.tell({ type: "value.ready", round: 0, value: "w" });
    expect(scene.effectsOf("propose")).toEqual([]);
  });

  it("L20: everybody else waits for the proposal", () => {
    const scene = new Scene().start();
    expect(scene.fired).toBe("L20");
    expect(scene.effectsOf("setTimer")).toEqual([
      { kind: "propose", round: 0, ms: 300 },
      { kind: "resend", round: 0, ms: 200 },
    ]);
    expect(scene.state.phase).toBe("propose");
  });

  it("L22: a new proposal is prevoted for, or nil where it is invalid, unacceptable or against the lock", () => {
    const scene = new Scene().start().propose("v");
    expect(scene.fired).toBe("L22");
    expect(scene.effectsOf("castVote")).toEqual([{ kind: "prevote", round: 0, value: "v", validRound: -1 }]);
    for (const judgement of [
      { isValid: false, isAcceptable: true },
      { isValid: true, isAcceptable: false },
    ]) {
      expect(new Scene().start().propose("v", { judgement }).effectsOf("castVote")[0]?.value).toBeNull();
    }
    const locked = new Scene().start().propose("v");
    locked.vote("prevote", locked.others, { value: "v" }).skipTo(1);
    expect(locked.state.lockedValue).toBe("v");
    expect(locked.propose("w", { round: 1 }).effectsOf("castVote")[0]).toMatchObject({ value: null, round: 1 });
  });

  it("L22: from round 3 on a proposal need not please, only be valid", () => {
    const scene = new Scene().start().skipTo(3);
    scene.propose("v", { round: 3, judgement: { isValid: true, isAcceptable: false } });
    const cast = scene.state.self === proposerOf(scene.council, 3) ? [] : scene.effectsOf("castVote");
    expect(cast.every(({ value }) => value === "v")).toBe(true);
  });

  it("L28: a proposal that leans on a polka waits for it, and then moves an older lock", () => {
    const scene = new Scene().start().skipTo(1);
    scene.propose("v", { round: 1, validRound: 0 });
    expect(scene.effectsOf("castVote")).toEqual([]);
    scene.tell({ type: "status.received", from: 0, polka: scene.polka("v"), entry: [] });
    expect(scene.fired).toContain("L28");
    expect(scene.effectsOf("castVote")).toEqual([{ kind: "prevote", round: 1, value: "v", validRound: 0 }]);
    const later = new Scene().start().propose("v");
    later.vote("prevote", later.others, { value: "v" }).skipTo(2);
    expect(later.state).toMatchObject({ lockedRound: 0, lockedValue: "v" });
    later.propose("w", { round: 2, validRound: 1, polka: later.polka("w", 1) });
    expect(later.effectsOf("castVote")[0]).toMatchObject({ kind: "prevote", value: "w", validRound: 1 });
  });

  it("L28: a lock of a later round than the polka stands", () => {
    const scene = new Scene().start().skipTo(1).propose("w", { round: 1 });
    scene.vote("prevote", scene.others, { round: 1, value: "w" }).skipTo(2);
    expect(scene.state).toMatchObject({ lockedRound: 1, lockedValue: "w" });
    scene.propose("v", { round: 2, validRound: 0, polka: scene.polka("v") });
    expect(scene.fired).toBe("L28");
    expect(scene.effectsOf("castVote")[0]).toMatchObject({ kind: "prevote", value: null, validRound: -1 });
  });

  it("L57: who waited long enough for a proposal prevotes nil", () => {
    const scene = new Scene().start().expire("propose");
    expect(scene.fired).toBe("L57");
    expect(scene.effectsOf("castVote")).toEqual([{ kind: "prevote", round: 0, value: null, validRound: -1 }]);
  });

  it("L34: a quorum of prevotes for anything starts a wait, once", () => {
    const scene = new Scene().start().expire("propose");
    const [a = 0, b = 0, c = 0] = scene.others;
    scene
      .vote("prevote", [a], { value: "v" })
      .vote("prevote", [b], { value: "w" })
      .vote("prevote", [c], { value: null });
    expect(scene.fired).toBe("L34");
    expect(scene.effectsOf("setTimer")).toEqual([{ kind: "prevote", round: 0, ms: 100 }]);
    scene.vote("prevote", [scene.state.self], { value: null });
    expect(scene.effectsOf("setTimer")).toEqual([]);
  });

  it("L36: a polka seen from prevote locks and is precommitted, once", () => {
    const scene = new Scene()
      .start()
      .propose("v")
      .vote("prevote", [...new Scene().others], { value: "v" });
    expect(scene.fired).toBe("L36");
    expect(scene.state).toMatchObject({ lockedRound: 0, lockedValue: "v", validRound: 0, validValue: "v" });
    expect(scene.effectsOf("castVote")).toEqual([{ kind: "precommit", round: 0, value: "v", validRound: -1 }]);
    scene.vote("prevote", [scene.state.self], { value: "v" });
    expect(scene.effectsOf("castVote")).toEqual([]);
  });

  it("L36: prevotes that lean on different polkas are no polka together", () => {
    const scene = new Scene().start().skipTo(1).propose("v", { round: 1 });
    const [a = 0, b = 0, c = 0] = scene.others;
    scene.vote("prevote", [c], { round: 1, value: "v" });
    const leaning = { round: 1, value: "v", validRound: 0 };
    scene.vote("prevote", [a, b], leaning);
    expect(scene.state.lockedValue).toBeNull();
  });

  it("L42: a polka seen from precommit becomes the valid value without a lock", () => {
    const scene = new Scene().start().propose("v").expire("propose");
    const [a = 0, b = 0, c = 0] = scene.others;
    scene.vote("prevote", [a, b], { value: null }).vote("prevote", [c], { value: null });
    expect(scene.state.phase).toBe("precommit");
    scene.vote("prevote", scene.others, { value: "v" });
    expect(scene.fired).toBe("L42");
    expect(scene.state).toMatchObject({ lockedRound: -1, validRound: 0, validValue: "v" });
    expect(scene.effectsOf("castVote")).toEqual([]);
  });

  it("L44: a quorum of nil prevotes is precommitted as nil", () => {
    const scene = new Scene().start().expire("propose");
    scene.vote("prevote", scene.others, { value: null });
    expect(scene.fired).toBe("L44");
    expect(scene.effectsOf("castVote")).toEqual([{ kind: "precommit", round: 0, value: null, validRound: -1 }]);
  });

  it("L61: who waited long enough for a polka precommits nil", () => {
    const scene = new Scene().start().expire("propose").expire("prevote");
    expect(scene.fired).toBe("L61");
    expect(scene.effectsOf("castVote")).toEqual([{ kind: "precommit", round: 0, value: null, validRound: -1 }]);
  });

  it("L47 and L65: a quorum of precommits for anything starts a wait, and its end the next round", () => {
    const scene = new Scene().start();
    const [a = 0, b = 0, c = 0] = scene.others;
    scene.vote("precommit", [a, b], { value: null }).vote("precommit", [c], { value: "v" });
    expect(scene.fired).toBe("L47");
    expect(scene.effectsOf("setTimer")).toEqual([{ kind: "precommit", round: 0, ms: 100 }]);
    scene.expire("precommit");
    expect(scene.state).toMatchObject({ round: 1, phase: "propose" });
    expect(scene.effectsOf("setTimer")[0]).toEqual({ kind: "propose", round: 1, ms: 350 });
  });

  it("L55: more than a third of the weight in a later round is followed there, and a third is not", () => {
    const scene = new Scene([1, 1, 1, 1, 1, 1], 0).start();
    scene.vote("prevote", [1], { round: 2, value: null }).vote("precommit", [2], { round: 2, value: null });
    expect(scene.state.round).toBe(0);
    scene.vote("prevote", [1], { round: 2, value: "w" });
    expect(scene.state.round).toBe(0);
    scene.vote("prevote", [3], { round: 7, value: null });
    expect(scene.fired.startsWith("L55")).toBe(true);
    expect(scene.state.round).toBe(2);
  });

  it("L49: a quorum of precommits of any round decides, as soon as the value is known", () => {
    const scene = new Scene().start().skipTo(2);
    scene.vote("precommit", scene.others, { round: 0, value: "v" });
    expect(scene.effectsOf("fetchValue")).toEqual([{ value: "v" }]);
    scene.tell({ type: "value.learned", value: "v", judgement: fine });
    expect(scene.fired).toBe("L49");
    expect(scene.state.phase).toBe("decided");
    const [decided] = scene.effectsOf("decide");
    expect(decided?.commit).toMatchObject({ round: 0, value: "v" });
    expect(decided?.commit.votes.map(({ voter }) => voter)).toEqual(scene.others);
  });

  it("L49: a whole certificate decides even before the first round", () => {
    const scene = new Scene();
    const votes = scene.others.map((voter) => scene.sign("precommit", voter, { round: 4, value: "v" }));
    scene.tell({ type: "commit.received", commit: { round: 4, value: "v", votes }, judgement: fine });
    expect(scene.state).toMatchObject({ phase: "decided", commit: { round: 4, value: "v" } });
  });

  it("H1: a polka of an earlier round becomes the valid value, and is shown on entering a round", () => {
    const scene = new Scene().start().propose("v").skipTo(1);
    scene.tell({ type: "status.received", from: 0, polka: scene.polka("v"), entry: [] });
    expect(scene.fired).toContain("H1");
    expect(scene.state).toMatchObject({ validRound: 0, validValue: "v", lockedRound: -1 });
    scene.skipTo(2);
    expect(scene.effectsOf("sendStatus")[0]?.polka).toHaveLength(3);
  });

  it("timers of an earlier round, and everything but late members after the decision, change nothing", () => {
    const scene = new Scene().start().skipTo(1);
    const before = scene.state;
    for (const kind of ["propose", "prevote", "precommit", "resend"] as const) scene.expire(kind, 0);
    expect({ ...scene.state, fired: [] }).toEqual({ ...before, fired: [] });
    const votes = scene.others.map((voter) => scene.sign("precommit", voter, { value: "v" }));
    scene.tell({ type: "commit.received", commit: { round: 0, value: "v", votes }, judgement: fine });
    scene.expire("precommit").expire("resend").skipTo(4);
    expect(scene.effects).toEqual([]);
    expect(scene.state).toMatchObject({ phase: "decided", round: 1 });
    scene.tell({ type: "status.received", from: 2, polka: [], entry: [] });
    expect(scene.effectsOf("answerLaggard")[0]).toMatchObject({ to: 2, commit: { value: "v" } });
  });
});

describe("what a member keeps", () => {
  it("V3: both votes of an equivocator count, each in its own set, a third only in a certificate (C1)", () => {
    const scene = new Scene().start();
    const [a = 0, b = 0, c = 0] = scene.others;
    scene.vote("precommit", [a], { value: "x" }).vote("precommit", [a], { value: "y" });
    expect(scene.effectsOf("reportEvidence")[0]?.evidence).toMatchObject({ kind: "DuplicatePrecommit", culprits: [a] });
    scene.vote("precommit", [a], { value: "v" }).vote("precommit", [b, c], { value: "v" });
    expect(scene.state.rounds[0]?.precommits.votes.filter(({ voter }) => voter === a)).toHaveLength(2);
    expect(scene.state.phase).not.toBe("decided");
    const votes = scene.others.map((voter) => scene.sign("precommit", voter, { value: "v" }));
    scene.tell({ type: "commit.received", commit: { round: 0, value: "v", votes }, judgement: fine });
    expect(scene.state.phase).toBe("decided");
  });

  it("boundedProposalCache: a third proposal is not kept, but fetched once a quorum stands behind its value", () => {
    const scene = new Scene().start();
    for (const value of ["x", "y", "v"]) scene.propose(value, { judgement: { isValid: true, isAcceptable: false } });
    expect(scene.state.rounds[0]?.proposals).toHaveLength(2);
    scene.vote("prevote", scene.others, { value: "v" });
    expect(scene.effectsOf("fetchValue")).toEqual([{ value: "v" }]);
    scene.tell({ type: "value.learned", value: "v", judgement: fine });
    expect(scene.fired).toBe("L36");
  });

  it("keeps the memory of a flood within its bounds", () => {
    const scene = new Scene().start();
    const [a = 0] = scene.others;
    for (let copy = 0; copy < 500; copy += 1) {
      scene.propose(`p${copy}`).vote("prevote", [a], { round: copy % 50, value: `x${copy}` });
      scene.vote("precommit", [a], { round: 5_000 + copy, value: `x${copy}` });
    }
    expect(scene.state.round).toBe(0);
    expect(scene.state.rounds.map(({ round }) => round)).toEqual([0, 1, 2]);
    const kept = scene.state.rounds.flatMap(({ prevotes, precommits }) => [...prevotes.votes, ...precommits.votes]);
    expect(kept.length).toBeLessThanOrEqual(6);
    expect(scene.state.values.length).toBeLessThanOrEqual(2);
  });

  it("shows on resending why it is in its round, so that members that forgot may follow", () => {
    const scene = new Scene().start();
    scene.vote("precommit", scene.others, { value: null }).expire("precommit").expire("resend");
    expect(scene.effects.map(({ type }) => type)).toEqual(["resend", "sendStatus", "setTimer"]);
    const [status] = scene.effectsOf("sendStatus");
    const forgetful = new Scene([1, 1, 1, 1], scene.others[0] ?? 0).start();
    forgetful.tell({ type: "status.received", from: scene.state.self, polka: [], entry: status?.entry ?? [] });
    expect(forgetful.fired).toBe("L47");
  });
});

describe("coming back from a crash", () => {
  const nothing = { lockedRound: -1, lockedValue: null, validRound: -1, validValue: null, polka: [], entry: [] };

  it("goes on in the step whose votes were signed, with its lock, and signs none of them again", () => {
    const scene = new Scene();
    const polka = scene.polka("v");
    const own = [
      scene.sign("prevote", scene.state.self, { value: "v" }),
      scene.sign("precommit", scene.state.self, { value: "v" }),
    ];
    const locked = { lockedRound: 0, lockedValue: "v", validRound: 0, validValue: "v", entry: [] };
    const durable: DurableState = { round: 0, ...locked, polka, own };
    scene.tell({ type: "value.learned", value: "v", judgement: fine }, { type: "decision.restored", durable });
    expect(scene.state).toMatchObject({ phase: "precommit", round: 0, lockedRound: 0, lockedValue: "v" });
    expect(scene.effects.map(({ type }) => type)).toEqual(["setTimer", "resend"]);
    scene.propose("w").vote("prevote", scene.others, { value: null });
    expect(scene.effectsOf("castVote")).toEqual([]);
  });

  it("never proposes again in a round in which it may have proposed", () => {
    const scene = proposerScene();
    scene.tell({ type: "decision.restored", durable: { round: 0, ...nothing, own: [] } });
    expect(scene.state.phase).toBe("propose");
    scene.tell({ type: "value.ready", round: 0, value: "v" });
    expect(scene.effectsOf("propose")).toEqual([]);
    expect(scene.expire("propose").fired).toBe("L57");
  });

  it("begins anew where nothing was signed", () => {
    const scene = new Scene();
    scene.tell({ type: "decision.restored", durable: { round: -1, ...nothing, own: [] } });
    expect(scene.fired).toBe("L20");
  });
});
