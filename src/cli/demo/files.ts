import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { TalliedRound } from "../../consensus/decision.ts";
import { encodeCertificate, encodeElectorate } from "../../consensus/verify.ts";
import { TroupeError } from "../../errors.ts";
import { makeFolder } from "../folder.ts";

/** Where a decision was written, relative to the current folder; no certificate without a decision. */
export interface DecisionFiles {
  readonly certificate: string | null;
  readonly electorate: string;
}

function refusal(folder: string, thrown: unknown): TroupeError {
  return new TroupeError(
    "usage/bad-file",
    `cannot write into ${folder}: ${(thrown as Error).message}; name another folder with --out`,
    { cause: thrown },
  );
}

/** Makes the folder of a decision, before the work for it begins. Errors: throws `usage/bad-file` where it cannot. */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (thrown) {
    throw refusal(folder, thrown);
  }
}

/** Writes the certificate and the electorate of a decision. Errors: throws `usage/bad-file` where it cannot write. */
export function writeDecision(decision: TalliedRound, folder: string, cwd: string): DecisionFiles {
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return relative(cwd, path) || path;
  };
  try {
    makeFolder(folder);
    return {
      certificate:
        decision.certificate === null ? null : write("certificate.json", encodeCertificate(decision.certificate)),
      electorate: write("electorate.json", encodeElectorate(decision.electorate)),
    };
  } catch (thrown) {
    throw refusal(folder, thrown);
  }
}
