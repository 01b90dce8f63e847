import { describe, expect, it } from "vitest";
import type { Transcript } from "../../machines/consensus/codec/statement-messages.ts";
import { forensics, type Forensics } from "../../src/consensus/forensics/forensics.ts";
import { verifyEvidence } from "../../src/consensus/verify.ts";
import { throwDice } from "../../src/testing/simulation/dice.ts";
import type { AdversaryName } from "../../src/testing/simulation/plan.ts";
import { runToTestimony, type Testimony } from "./testimony.ts";

type Found = Extract<Forensics, { readonly ok: true }>;

/** Schedules beyond the bound in which correct members disagree, most of them across rounds of the agreement. */
const split: readonly (readonly [AdversaryName, readonly number[]])[] = [
  ["amnesia", [121, 169, 216, 241, 286]],
  ["split", [4, 7, 10, 18, 58, 113]],
  ["fake-polka", [62, 321, 384]],
  ["equivocate", [4, 21, 33, 45]],
];
const testimonyTimeoutMs = 60_000;

function hear(
  { certificates, council }: Testimony,
  given: { transcripts: readonly unknown[]; silent?: readonly string[] },
): Found {
  const found = forensics(certificates, council.electorate, given);
  if (!found.ok) throw new Error(`${found.certificate}: ${found.reason}`);
  for (const each of found.evidence) expect(verifyEvidence(each, council.electorate)).toMatchObject({ ok: true });
  return found;
}

async function disagreements(): Promise<(Testimony & { readonly about: string; readonly seed: number })[]> {
  const all = [];
  for (const [adversary, seeds] of split) {
    for (const seed of seeds) {
      const { testimony } = await runToTestimony(seed, { adversary, regime: "beyond" });
      const about = `seed ${seed}, ${adversary}`;
      if (testimony === undefined) throw new Error(`${about}: nobody disagrees`);
      all.push({ ...testimony, seed, about });
    }
  }
  return all;
}

describe("beyond the bound, what correct members have stored", { timeout: testimonyTimeoutMs }, async () => {
  const cases = await disagreements();
  const isAcross = ({ conflicts }: Found): boolean => conflicts.some(({ kind }) => kind === "locks");

  it("convicts more than a third of the weight in every disagreement, and nobody honest (P6, P7)", () => {
    let across = 0;
    for (const testimony of cases) {
      const { transcripts, faulty, about } = testimony;
      const found = hear(testimony, { transcripts, silent: faulty });
      expect(
        found.transcripts.every(({ ok }) => ok),
        about,
      ).toBe(true);
      expect(3 * found.weight, about).toBeGreaterThan(found.total);
      expect(faulty, about).toEqual(expect.arrayContaining([...found.culprits]));
      expect(
        found.conflicts.every(({ isExplained }) => isExplained),
        about,
      ).toBe(true);
      expect(found.accusations, about).toEqual([]);
      if (isAcross(found)) across += 1;
    }
    expect(across, "disagreements across rounds, which certificates cannot explain").toBeGreaterThan(12);
  });

  it("convicts nobody honest by a part of it, by what faulty members leave out, or by what others change", () => {
    for (const testimony of cases) {
      const { transcripts, faulty, about, seed } = testimony;
      const dice = throwDice(seed);
      const correct = new Set(transcripts.map(({ body }) => body.member));
      const some = transcripts.filter(() => dice.chance(60));
      const shortened = transcripts.map((transcript): Transcript => {
        const { body } = transcript;
        const statements = body.statements.filter(() => dice.chance(70));
        return dice.chance(50) ? transcript : { ...transcript, body: { ...body, statements } };
      });
      const whole = hear(testimony, { transcripts, silent: faulty });
      for (const given of [some, shortened, []]) {
        const found = hear(testimony, { transcripts: given, silent: faulty.filter(() => dice.chance(80)) });
        expect(
          found.culprits.filter((id) => correct.has(id) || !faulty.includes(id)),
          about,
        ).toEqual([]);
        expect(whole.culprits, `${about}: more is told by all`).toEqual(expect.arrayContaining([...found.culprits]));
        if (isAcross(found) && given.length === 0)
          expect(found.lacking).toHaveLength(testimony.council.electorate.members.length);
      }
    }
  });
});
