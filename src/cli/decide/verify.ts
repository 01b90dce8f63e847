import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { CertificateVerdict } from "../../../machines/consensus/certificate/verify-quorum.ts";
import { verifyCertificateBytes } from "../../consensus/verify.ts";
import { TroupeError } from "../../errors.ts";
import type { CommandIo, Run } from "../command.ts";

/** The largest certificate, electorate or transcript file that is read: far above 1,024 signed ballots. */
const fileBytesMax = 64 * 1024 * 1024;

/** Errors: throws `usage/bad-file` where it cannot be read, or is too large. */
export function read(file: string, io: CommandIo): Uint8Array {
  const path = resolve(io.cwd, file);
  try {
    const { size } = statSync(path);
    if (size > fileBytesMax)
      throw new TroupeError("usage/bad-file", `${file}: ${size} bytes; at most ${fileBytesMax} are read`);
    return readFileSync(path);
  } catch (thrown) {
    if (thrown instanceof TroupeError) throw thrown;
    throw new TroupeError("usage/bad-file", `${file}: it cannot be read: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}

/** Whether a file is a JSON object with this field. */
function holds(bytes: Uint8Array, field: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null && Object.hasOwn(value, field);
  } catch {
    return false;
  }
}

function tellHolding({ option, weight, members, agreed }: Extract<CertificateVerdict, { readonly ok: true }>): string {
  if (agreed === undefined)
    return `The certificate holds: "${option}" with weight ${weight}, signed by ${members.join(", ")}.\n`;
  const what =
    option === null
      ? `it is agreed that nothing is decided (${agreed.status})`
      : `"${option}" with weight ${weight}, backed by ${members.join(", ")}`;
  return `The certificate holds: ${what}; committed by weight ${agreed.weight}: ${agreed.members.join(", ")}.\n`;
}

/** The electorate that certificates are checked against. */
export interface ElectorateFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** One certificate of a file: what was found, in words too, and what the file holds. */
export interface CheckedFile {
  readonly verdict: CertificateVerdict;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Errors: throws `usage/bad-argument` where none is named, `usage/bad-file` where it cannot be read. */
export function readElectorate(values: Parameters<Run>[0]["values"], io: CommandIo): ElectorateFile {
  const file = values["electorate"] as string | undefined;
  if (file === undefined)
    throw new TroupeError(
      "usage/bad-argument",
      "--electorate is missing: a certificate can only be checked against the electorate that you trust",
    );
  return { file, bytes: read(file, io) };
}

/** Errors: throws `usage/bad-file` where it cannot be read, `usage/bad-argument` where the two files are swapped. */
export function checkFile(file: string, electorate: ElectorateFile, io: CommandIo): CheckedFile {
  const bytes = read(file, io);
  if (holds(bytes, "members") && holds(electorate.bytes, "proposal"))
    throw new TroupeError(
      "usage/bad-argument",
      `the two files are swapped: ${file} is an electorate and ${electorate.file} is a certificate; give the certificate first`,
    );
  const verdict = verifyCertificateBytes(bytes, electorate.bytes);
  const text = verdict.ok ? tellHolding(verdict) : `The certificate does not hold: ${verdict.reason}.\n`;
  return { verdict, text, bytes };
}

export const run: Run = async ({ values, positionals }, io) => {
  const { verdict, text } = checkFile(positionals[0] ?? "", readElectorate(values, io), io);
  return { exitCode: verdict.ok ? 0 : 1, json: verdict, text };
};
