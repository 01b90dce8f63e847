import type { Signer } from "../../src/ports/signer.ts";
import { createSigner, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { cpuMs } from "../measuring/clocks.ts";

/** Signatures, and checks, of one calibration. */
const calibrations = 200;

/** A signature of one voter over bytes as long as ours. */
export interface Sample {
  readonly signer: Signer;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * One sample a voter, as in a decision: a processor foresees the branches of one and the same check done again and
 * again, which makes it 3 % cheaper than any that a panel ever does.
 */
export async function sampleSignatures(voters: number): Promise<readonly Sample[]> {
  return await Promise.all(
    Array.from({ length: voters }, async (_, index) => {
      const signer = createSigner();
      const bytes = new Uint8Array(49).fill(index);
      return { signer, bytes, signature: await signer.sign(bytes) };
    }),
  );
}

/** CPU milliseconds of one signature and of one check. */
export async function calibrate(samples: readonly Sample[]): Promise<{ sign: number; verify: number }> {
  const cost = async (work: (sample: Sample) => unknown): Promise<number> => {
    const rounds = Math.ceil(calibrations / samples.length);
    const from = cpuMs();
    for (let round = 0; round < rounds; round += 1) for (const sample of samples) await work(sample);
    return (cpuMs() - from) / (rounds * samples.length);
  };
  return {
    sign: await cost(({ signer, bytes }) => signer.sign(bytes)),
    verify: await cost(({ signer, bytes, signature }) => verifyEd25519(signer.publicKey, bytes, signature)),
  };
}
