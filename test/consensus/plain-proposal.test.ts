import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  minBallotsMax,
  nameLengthMax,
  optionsMax,
  proposalSchema,
  questionLengthMax,
  type ProposalBody,
} from "../../machines/consensus/codec/messages.ts";
import { createMember } from "../../src/consensus/ed25519.ts";
import { defineElectorate } from "../../src/consensus/electorate.ts";
import { bindingDigest } from "../../src/consensus/opinion/binding.ts";
import { decisionQuestion, optionLabelLengthMax } from "../../src/consensus/opinion/opinion.ts";
import { isPlainProposal, readPlainQuestion } from "../../src/consensus/plain-proposal.ts";
import { buildProposal } from "../../src/consensus/proposal.ts";
import { systemIds } from "../../src/ports/chance.ts";

const { member, signer } = createMember({ id: "ops" });
const usual = buildProposal(
  { question: "Ship?", options: ["yes", "no"], electorate: defineElectorate([member]), closesAt: 1_000 },
  { signer, ids: systemIds },
);

function textAround(max: number): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary: fc.string({ unit: "binary", maxLength: 20 }), weight: 12 },
    { arbitrary: fc.constantFrom<unknown>("", "x".repeat(max), "x".repeat(max + 1), "\ud800", null, 7), weight: 1 },
  );
}

const numbers = fc.oneof(
  { arbitrary: fc.constantFrom<unknown>(1, 2, minBallotsMax), weight: 20 },
  { arbitrary: fc.constantFrom<unknown>(0, -1, 1.5, minBallotsMax + 1, 2 ** 53, Number.NaN, "1"), weight: 1 },
);

function seldom(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 9 }, { arbitrary: value, weight: 1 });
}

function share(kept: object): fc.Arbitrary<object> {
  const odd = fc.constantFrom<object>({ strict: "yes" }, { strict: 1 }, { of: "participating" }, { of: undefined });
  return seldom(odd).map((change) => ({ ...kept, ...(change as object | undefined) }));
}

/** What a caller chooses of a proposal, by itself or through its signer; the rest of it is computed. */
const chosen = fc.record(
  {
    boxKey: seldom(fc.constantFrom("00", "a".repeat(64))),
    closesAt: numbers,
    closing: fc.constantFrom<unknown>("coordinator", "none", "commit", "never"),
    commitClosesAt: seldom(numbers),
    decisionId: textAround(nameLengthMax),
    defaultOption: fc.oneof(fc.constant(null), textAround(nameLengthMax)),
    minBallots: numbers,
    options: fc
      .oneof(
        { arbitrary: fc.array(textAround(nameLengthMax), { maxLength: 3 }), weight: 8 },
        {
          arbitrary: fc
            .constantFrom(optionsMax, optionsMax + 1)
            .map((count) => Array.from({ length: count }, () => "x")),
          weight: 1,
        },
      )
      .map((ids) => ids.map((id) => ({ digest: usual.contextDigest, id }))),
    coordinator: fc.oneof(
      { arbitrary: fc.constant(usual.coordinator), weight: 9 },
      {
        arbitrary: fc.constantFrom<unknown>("", usual.coordinator.slice(2), usual.coordinator.toUpperCase()),
        weight: 1,
      },
    ),
    participation: seldom(fc.constantFrom({ strict: 1 }, { strict: "" })).map((change) => ({
      ...usual.participation,
      ...(change as object | undefined),
    })),
    question: textAround(questionLengthMax),
    round: numbers,
    threshold: share(usual.threshold),
  },
  { requiredKeys: [] },
);

describe("read without the schema", () => {
  const electorate = defineElectorate([member]);
  const build = (options: object, by: object = signer): ProposalBody =>
    buildProposal(
      { question: "Ship?", options: ["yes", "no"], electorate, closesAt: 1_000, ...options },
      {
        signer: by as typeof signer,
        ids: systemIds,
      },
    );

  test("rules that no schema takes are refused before anything is signed", () => {
    const odd = [
      { threshold: { num: 2, den: 3, of: "participating" } },
      { threshold: { num: 2, den: 3, strict: "yes" } },
      { participation: { num: 2, den: 3, strict: 1 } },
      { closing: "never" },
    ];
    for (const options of odd) expect(() => build(options)).toThrow(/usage|threshold|participation|closing/);
    for (const publicKey of [new Uint8Array(31), new Uint8Array(0)])
      expect(() => build({}, { ...signer, publicKey })).toThrow(/coordinator/);
  });

  test("what voters are shown is bound by its digest, whatever came before it", () => {
    const bound = (context: unknown, constraints: unknown): string =>
      bindingDigest("context", { constraints, context });
    for (const shown of [{ context: [] }, { context: 5 }, { constraints: "" }]) {
      try {
        build(shown);
      } catch {
        // Some of these cannot be bound; none may leave anything behind.
      }
      expect(build({}).contextDigest).toBe(bound({}, []));
      expect(build({ context: {}, constraints: [] }).contextDigest).toBe(bound({}, []));
      expect(build({ context: null, constraints: null }).contextDigest).toBe(bound({}, []));
      expect(build({ context: { a: 1 }, constraints: ["b"] }).contextDigest).toBe(bound({ a: 1 }, ["b"]));
    }
    expect(() => build({ context: new Map([["budget", 1]]) })).toThrow(/canonical form/);
    expect(() => build({ constraints: new Set(["never on Friday"]) })).toThrow(/canonical form/);
  });

  test("a proposal that is found plain fits the schema, and most usual ones are found plain", () => {
    let plain = 0;
    fc.assert(
      fc.property(chosen, (change) => {
        const built = { ...usual, ...change } as ProposalBody;
        if (!isPlainProposal(built)) return;
        plain += 1;
        expect(proposalSchema.safeParse(built).success).toBe(true);
      }),
      { numRuns: 4_000 },
    );
    expect(plain).toBeGreaterThan(50);
    expect(isPlainProposal(usual)).toBe(true);
  });

  test("a question is what the schema reads", () => {
    let plain = 0;
    const option = fc.record(
      {
        id: textAround(nameLengthMax),
        label: textAround(optionLabelLengthMax),
        folder: textAround(10),
        payload: fc.constantFrom<unknown>(undefined, { a: 1 }),
        more: fc.anything(),
      },
      { requiredKeys: ["id"] },
    );
    const asked = fc.record(
      {
        decisionId: textAround(nameLengthMax),
        description: textAround(questionLengthMax),
        options: fc.array(option, { maxLength: 3 }),
        context: fc.constantFrom<unknown>(undefined, {}, { a: 1 }),
        constraints: fc.constantFrom<unknown>(undefined, [], ["b"]),
      },
      { requiredKeys: ["decisionId", "description", "options"] },
    );
    fc.assert(
      fc.property(asked, (value) => {
        const read = readPlainQuestion(value as Parameters<typeof readPlainQuestion>[0]);
        if (read === undefined) return;
        plain += 1;
        expect(decisionQuestion.safeParse(value)).toEqual({ success: true, data: read });
      }),
      { numRuns: 2_000 },
    );
    expect(plain).toBeGreaterThan(50);
  });
});
