import { admitBallot } from "../../machines/consensus/ballot/admission.ts";
import type { SignedBallot } from "../../machines/consensus/codec/messages.ts";
import { createMember, createSigner, sha256, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { defineElectorate } from "../../src/consensus/electorate.ts";
import { openProposal, signProposal } from "../../src/consensus/proposal.ts";
import { signBallot } from "../../src/consensus/ballot.ts";
import type { Reading, Readings, Scale } from "../measuring/arm.ts";
import { cpuMs, startClocks } from "../measuring/clocks.ts";

/** Voters whose ballots are admitted in turn. */
const voters = 16;
/** CPU milliseconds before anything is measured, so that compiling is over. */
const warmMs = 500;

/** The same ballot under a signature in which one bit is another one: of the scalar, so that only the check finds it. */
function forge(ballot: SignedBallot): SignedBallot {
  const bytes = Buffer.from(ballot.sig, "hex");
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  return { ...ballot, sig: bytes.toString("hex") };
}

/** Ballots as they come from elsewhere, good and forged, each through the whole acceptance table with one check. */
export async function measureAdmission({ regionMs }: Scale): Promise<Readings> {
  const keyed = Array.from({ length: voters }, (_, index) => createMember({ id: `voter-${index}` }));
  const electorate = defineElectorate(keyed.map(({ member }) => member));
  const proposal = await signProposal(
    { question: "Release?", options: ["release", "hold"], electorate, closesAt: Date.now() + 60_000 },
    createSigner(),
  );
  const opened = openProposal(proposal, electorate);
  if (!opened.ok) throw new Error(opened.problem);
  const { round } = opened.value;
  const good = await Promise.all(
    keyed.map(({ member, signer }) =>
      signBallot({ proposal, voter: member.id, choice: "release", confidence: 0.9 }, signer),
    ),
  );
  const measure = (ballots: readonly SignedBallot[], expected: "admitted" | "forged"): Reading => {
    let verifies = 0;
    const verify: typeof verifyEd25519 = (...given) => {
      verifies += 1;
      return verifyEd25519(...given);
    };
    const runFor = (limitMs: number): number => {
      let done = 0;
      for (const from = cpuMs(); cpuMs() - from < limitMs; done += ballots.length) {
        for (const ballot of ballots) {
          const admission = admitBallot(ballot, round, { hash: sha256, verify });
          const row = admission.admitted ? "admitted" : admission.row;
          if (row !== expected) throw new Error(`a ballot was ${row} and not ${expected}`);
        }
      }
      return done;
    };
    runFor(warmMs);
    verifies = 0;
    const stop = startClocks();
    const done = runFor(regionMs);
    if (verifies !== done) throw new Error(`${done} ballots took ${verifies} checks`);
    return stop(done);
  };
  return { good: measure(good, "admitted"), forged: measure(good.map(forge), "forged") };
}
