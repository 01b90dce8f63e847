import { describe, expect, it } from "vitest";
import type { CertificateVerdict } from "../../machines/consensus/certificate/verify.ts";
import type { ProposalBody, QuorumCertificate, SignedBallot } from "../../machines/consensus/codec/messages.ts";
import type { Electorate } from "../../machines/consensus/electorate/electorate.ts";
import { createSigner } from "../../src/consensus/ed25519.ts";
import { signClosing, signProposalBody } from "../../src/consensus/signing.ts";
import {
  encodeCertificate,
  encodeElectorate,
  verifyCertificate,
  verifyCertificateBytes,
  verifyEvidence,
} from "../../src/consensus/verify.ts";
import { abstain, approve, closingOf, conclude, convene, equals, single, type Council } from "./council.ts";

const ladder = { options: ["release", "fix-first", "hold"], method: "approval", prefer: "bold" } as const;

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("the round was not decided");
  return value;
}

async function ballotsOf(
  council: Council,
  votes: readonly [string, Parameters<Council["body"]>[1], (number | null)?][],
): Promise<SignedBallot[]> {
  return await Promise.all(
    votes.map(([voter, choice, confidence]) => council.sign(council.body(voter, choice, confidence ?? null))),
  );
}

async function plainCase(): Promise<{ council: Council; ballots: SignedBallot[]; certificate: QuorumCertificate }> {
  const council = await convene(equals(5), { method: "single" });
  const ballots = await ballotsOf(council, [
    ["a", single("x"), 0.9],
    ["b", single("x"), 0.8],
    ["c", single("x")],
    ["d", single("x")],
    ["e", single("y"), 0.4],
  ]);
  return { council, ballots, certificate: required((await conclude(council, ballots)).certificate) };
}

/** Every subset of the ballots with at most one per voter, in order of voter, as certificates for every option. */
function forgeries(
  certificate: QuorumCertificate,
  ballots: readonly SignedBallot[],
  closings: readonly QuorumCertificate["closing"][],
): QuorumCertificate[] {
  const found: QuorumCertificate[] = [];
  const sorted = ballots.toSorted((left, right) => (left.body.voter < right.body.voter ? -1 : 1));
  for (let mask = 1; mask < 2 ** sorted.length; mask += 1) {
    const chosen = sorted.filter((_, index) => (mask >> index) % 2 === 1);
    if (new Set(chosen.map(({ body }) => body.voter)).size !== chosen.length) continue;
    for (const { id: option } of certificate.proposal.body.options) {
      const { closing: _, ...rest } = certificate;
      for (const closing of closings)
        found.push({ ...rest, option, ballots: chosen, ...(closing === undefined ? {} : { closing }) });
    }
  }
  return found;
}

function accepted(candidates: readonly QuorumCertificate[], electorate: Electorate): Set<string | null> {
  const options = candidates
    .map((candidate) => verifyCertificate(candidate, electorate))
    .filter((verdict) => verdict.ok);
  return new Set(options.map(({ option }) => option));
}

describe("a certificate", () => {
  it("is accepted with the supporting weight and members", async () => {
    const { council, certificate } = await plainCase();
    expect(verifyCertificate(certificate, council.electorate)).toEqual({
      ok: true,
      option: "x",
      weight: 4,
      members: ["a", "b", "c", "d"],
    });
    expect(verifyCertificateBytes(encodeCertificate(certificate), encodeElectorate(council.electorate)).ok).toBe(true);
  });

  it("carries every counted ballot, abstentions too, and no void one", async () => {
    const council = await convene(equals(6), ladder);
    const votes = await ballotsOf(council, [
      ["a", approve("release", "fix-first", "hold")],
      ["b", approve("fix-first", "hold")],
      ["c", approve("fix-first", "hold")],
      ["d", approve("fix-first", "hold"), 0.2],
      ["e", approve("fix-first", "hold")],
      ["f", abstain],
    ]);
    const plain = required((await conclude(council, votes)).certificate);
    expect(plain.ballots.map(({ body }) => body.voter)).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(verifyCertificate(plain, council.electorate)).toMatchObject({ ok: true, option: "fix-first", weight: 5 });
    const twice = [...votes.slice(0, 5), await council.sign(council.body("a", approve("hold")))];
    const { certificate, closing } = await conclude(council, twice);
    expect(certificate).toBeUndefined();
    expect(closing?.body).toMatchObject({ status: "no-quorum", option: null, voided: [{ voter: "a" }] });
  });

  it("is undefined for a round that did not decide", async () => {
    const council = await convene(equals(5), { method: "single" });
    const { certificate, state } = await conclude(council, await ballotsOf(council, [["a", single("x")]]));
    expect(certificate).toBeUndefined();
    expect(state.phase).toBe("undecided");
  });
});

describe("any changed byte", () => {
  /** Flips per byte: the bit moves along with the position, so every bit of a byte is flipped somewhere. */
  const cases: [string, number, () => Promise<{ council: Council; certificate: QuorumCertificate }>][] = [
    ["of a single choice", 1, plainCase],
    [
      "of a ranking",
      1,
      async () => {
        const council = await convene(equals(2), { method: "ranked" });
        const votes = await ballotsOf(council, [
          ["a", { kind: "ranked", order: [["x"], ["y", "z"]] }],
          ["b", { kind: "ranked", order: [["y"], ["x"]] }, 0.5],
        ]);
        return { council, certificate: required((await conclude(council, votes)).certificate) };
      },
    ],
    [
      "of approvals with groups, confidences and a void voter",
      1,
      async () => {
        const council = await convene(
          [
            { id: "a", group: "g" },
            { id: "b", weight: 2, host: "h" },
            { id: "c", weight: 2 },
            { id: "d", weight: 2 },
            { id: "e" },
          ],
          { ...ladder, confidence: { floor: 0.3, weight: 0.3 }, question: "Ship “naïve” 😀?" },
        );
        const votes = await ballotsOf(council, [
          ["a", approve("hold")],
          ["a", approve("release")],
          ["b", approve("release", "fix-first", "hold"), 0.9],
          ["c", approve("release", "fix-first", "hold"), 0.55],
          ["d", approve("release", "fix-first", "hold"), 1],
          ["e", abstain],
        ]);
        return { council, certificate: required((await conclude(council, votes)).certificate) };
      },
    ],
    [
      "of a certificate without a closing",
      2,
      async () => {
        const council = await convene(equals(4), { method: "single", closing: "none", options: ["yes", "no"] });
        const votes = await ballotsOf(council, [
          ["a", single("yes")],
          ["b", single("yes")],
          ["c", single("yes")],
        ]);
        return { council, certificate: required((await conclude(council, votes)).certificate) };
      },
    ],
  ];

  it.each(cases)("%s is refused, in the certificate and in the electorate", async (_, flips, build) => {
    const { council, certificate } = await build();
    const files = { certificate: encodeCertificate(certificate), electorate: encodeElectorate(council.electorate) };
    expect(verifyCertificateBytes(files.certificate, files.electorate).ok).toBe(true);
    const refused = new Map<string, number>();
    const note = (verdict: CertificateVerdict): void => {
      const reason = verdict.ok ? "ACCEPTED" : verdict.reason;
      refused.set(reason, (refused.get(reason) ?? 0) + 1);
    };
    for (const name of ["certificate", "electorate"] as const) {
      for (let index = 0; index < files[name].length; index += 1) {
        for (let flip = 0; flip < flips; flip += 1) {
          const changed = Uint8Array.from(files[name]);
          changed[index] = (changed[index] ?? 0) ^ (1 << ((index + 3 * flip) % 8));
          note(
            verifyCertificateBytes(
              name === "certificate" ? changed : files.certificate,
              name === "electorate" ? changed : files.electorate,
            ),
          );
        }
      }
      for (const changed of [files[name].slice(0, -1), Uint8Array.from([...files[name], 10]), new Uint8Array()]) {
        note(
          verifyCertificateBytes(
            name === "certificate" ? changed : files.certificate,
            name === "electorate" ? changed : files.electorate,
          ),
        );
      }
    }
    const tried = [...refused.values()].reduce((sum, count) => sum + count, 0);
    expect(tried).toBe(flips * (files.certificate.length + files.electorate.length) + 6);
    expect(refused.get("ACCEPTED")).toBeUndefined();
    expect(refused.get("ballot-signature")).toBeGreaterThan(0);
    expect(refused.get("malformed")).toBeGreaterThan(0);
  });

  it("and any other spelling of the same content is refused", async () => {
    const { council, certificate } = await plainCase();
    const electorate = encodeElectorate(council.electorate);
    const spellings = [
      JSON.stringify(certificate),
      `${JSON.stringify(certificate)}\n`,
      `${JSON.stringify(certificate, null, 2)}\n`,
      `\ufeff${Buffer.from(encodeCertificate(certificate)).toString()}`,
    ];
    for (const text of spellings) {
      expect(verifyCertificateBytes(new TextEncoder().encode(text), electorate)).toMatchObject({ ok: false });
    }
  });
});

describe("the verifier", () => {
  it("refuses what is no certificate, and never throws", async () => {
    const { council, certificate } = await plainCase();
    const { electorate } = council;
    for (const value of [
      null,
      undefined,
      1,
      "x",
      [],
      {},
      { ...certificate, v: 2 },
      { ...certificate, kind: "commit" },
      { ...certificate, ballots: [] },
    ]) {
      expect(verifyCertificate(value, electorate)).toEqual({ ok: false, reason: "malformed" });
    }
    for (const value of [
      null,
      {},
      { ...electorate, members: [] },
      { ...electorate, members: electorate.members.toReversed() },
    ]) {
      expect(verifyCertificate(certificate, value)).toEqual({ ok: false, reason: "electorate-invalid" });
    }
  });

  it("refuses a certificate whose ballots are repeated, unsorted, missing or added (fault matrix, rows 11 and 13)", async () => {
    const { council, certificate } = await plainCase();
    const [a, b, ...rest] = certificate.ballots;
    const reason = (ballots: readonly unknown[]): unknown => {
      const verdict = verifyCertificate({ ...certificate, ballots }, council.electorate);
      return verdict.ok ? "ACCEPTED" : verdict.reason;
    };
    expect(reason([a, a, b, ...rest])).toBe("unsorted");
    expect(reason([b, a, ...rest])).toBe("unsorted");
    expect(reason([a, ...rest])).toBe("closing-invalid");
    const wider = await convene(equals(6), { method: "single" });
    const stranger = {
      ...wider.body("f", single("x")),
      proposalDigest: council.round.proposalDigest,
      electorateDigest: council.round.electorateDigest,
    };
    expect(reason([...certificate.ballots, await wider.sign(stranger)])).toBe("unknown-voter");
    expect(reason([...certificate.ballots.slice(0, 4), await wider.sign(wider.body("e", single("x")))])).toBe(
      "other-round",
    );
  });

  it("refuses another electorate: weights, keys and members are part of what was signed", async () => {
    const { council, certificate } = await plainCase();
    const heavier = {
      ...council.electorate,
      members: council.electorate.members.map((member) => ({ ...member, weight: 2 })),
    };
    expect(verifyCertificate(certificate, heavier)).toEqual({ ok: false, reason: "electorate-mismatch" });
  });

  it("refuses an option that the ballots do not give", async () => {
    const { council, certificate } = await plainCase();
    const { round, coordinator } = council;
    const closing = required(certificate.closing);
    const lie = await signClosing({ ...closing.body, option: "y" }, coordinator);
    expect(verifyCertificate({ ...certificate, option: "y", closing: lie }, council.electorate)).toEqual({
      ok: false,
      reason: "wrong-option",
    });
    expect(round.proposal.options.map(({ id }) => id)).toContain("y");
  });

  it("refuses a proposal or a closing that the coordinator did not sign", async () => {
    const { council, certificate } = await plainCase();
    const other = createSigner();
    const reason = (changed: Partial<QuorumCertificate>): unknown => {
      const verdict = verifyCertificate({ ...certificate, ...changed }, council.electorate);
      return verdict.ok ? "ACCEPTED" : verdict.reason;
    };
    expect(reason({ proposal: await signProposalBody(certificate.proposal.body, other) })).toBe("proposal-signature");
    expect(reason({ closing: await signClosing(required(certificate.closing).body, other) })).toBe("closing-signature");
    const { closing: _, ...open } = certificate;
    expect(verifyCertificate(open, council.electorate)).toEqual({ ok: false, reason: "closing-missing" });
    const mine: ProposalBody = {
      ...certificate.proposal.body,
      coordinator: Buffer.from(other.publicKey).toString("hex"),
    };
    expect(reason({ proposal: await signProposalBody(mine, other) })).toBe("other-round");
  });

  it("checks evidence of double voting by itself", async () => {
    const { council, ballots } = await plainCase();
    const twice = await council.sign(council.body("e", single("x")));
    const { state } = await conclude(council, [...ballots, twice]);
    const [evidence] = state.evidence;
    expect(verifyEvidence(evidence, council.electorate)).toEqual({ ok: true, voter: "e" });
    const [first, second] = required(evidence).ballots;
    const refused: [unknown, string][] = [
      [null, "malformed"],
      [{ ...evidence, voter: "zz" }, "unknown-voter"],
      [{ ...evidence, voter: "a" }, "other-round"],
      [{ ...evidence, ballots: [first, first] }, "same-ballot"],
      [{ ...evidence, ballots: [first, { ...second, sig: first.sig }] }, "signature"],
    ];
    // A coordinator that signed two proposals for one round has an honest voter answer both, when it forgot the first.
    const asked = await council.sign({ ...second.body, proposalDigest: "ab".repeat(32) });
    refused.push([{ ...evidence, ballots: [first, asked] }, "other-proposal"]);
    for (const [value, reason] of refused)
      expect(verifyEvidence(value, council.electorate)).toEqual({ ok: false, reason });
    expect(verifyEvidence(evidence, {})).toEqual({ ok: false, reason: "electorate-invalid" });
  });
});

describe("a second certificate", () => {
  it("is impossible for a single choice with one double voter of five, whichever ballots are put together (B4)", async () => {
    const council = await convene(equals(5), { method: "single", options: ["x", "y"], closing: "none" });
    const ballots = await ballotsOf(council, [
      ["a", single("x")],
      ["b", single("x")],
      ["c", single("x")],
      ["d", single("x")],
      ["e", single("y")],
      ["e", single("x")],
    ]);
    const { certificate, state } = await conclude(council, ballots);
    expect(state.evidence).toHaveLength(1);
    const candidates = forgeries(required(certificate), ballots, [undefined]);
    expect(candidates.length).toBeGreaterThan(50);
    expect(accepted(candidates, council.electorate)).toEqual(new Set(["x"]));
  });

  it("is impossible for approvals without a second closing signed by the coordinator", async () => {
    const council = await convene(equals(5), ladder);
    const ballots = await ballotsOf(council, [
      ["a", approve("release", "fix-first", "hold")],
      ["b", approve("release", "fix-first", "hold")],
      ["c", approve("release", "fix-first", "hold")],
      ["d", approve("fix-first", "hold")],
      ["e", approve("release", "fix-first", "hold")],
      ["e", approve("hold")],
    ]);
    const { certificate, closing } = await conclude(council, ballots);
    expect(certificate?.option).toBe("fix-first");
    const candidates = forgeries(required(certificate), ballots, [undefined, closing ?? undefined]);
    expect(accepted(candidates, council.electorate)).toEqual(new Set(["fix-first"]));
    // What the closing is for: a coordinator that signs two convicts itself, and without one nothing else holds it.
    const lie = ballots.slice(0, 5);
    const { state } = await conclude(council, lie);
    const second = await signClosing(closingOf(council, required(state.draft ?? undefined)), council.coordinator);
    const forged = { ...required(certificate), option: "release", ballots: lie, closing: second };
    expect(verifyCertificate(forged, council.electorate)).toMatchObject({ ok: true, option: "release" });
    expect(second.body.round).toBe(required(closing ?? undefined).body.round);
    expect(second.body).not.toEqual(closing?.body);
  });
});
