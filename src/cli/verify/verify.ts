import { forensics, type Forensics } from "../../consensus/forensics/forensics.ts";
import { describeEvidence, section } from "../../consensus/report.ts";
import type { CommandIo, CommandResult, Run } from "../command.ts";
import { checkFile, readElectorate, run as verifyOne, type CheckedFile } from "../decide/verify.ts";

type Found = Extract<Forensics, { readonly ok: true }>;

/** One of several certificates. */
interface Read extends CheckedFile {
  readonly file: string;
}

function describeCulprits({ culprits, weight, total, coordinators, evidence }: Found): string[] {
  const size = 3 * weight > total ? "more than a third" : "no more than a third";
  return [
    ...evidence.map(describeEvidence),
    ...(culprits.length === 0 ? [] : [`${culprits.join(", ")}: weight ${weight} of ${total}, ${size}`]),
    ...coordinators.map((key) => `the coordinator with the key ${key}`),
  ];
}

function tellConflicts(found: Found, checked: readonly Read[]): string {
  const fileOf = (index: number): string => checked[index]?.file ?? "";
  const told = (isExplained: boolean): string[] =>
    found.conflicts
      .filter((conflict) => conflict.isExplained === isExplained)
      .map(({ certificates: [left, right], detail }) => `${fileOf(left)} and ${fileOf(right)}: ${detail}`);
  const lines = [
    `All ${checked.length} certificates hold, and they contradict each other. Trust none of them.`,
    ...section(
      "Certificates",
      checked.map(({ file, text }) => `${file}: ${text.trimEnd()}`),
    ),
    ...section("What is proven", told(true)),
    ...section("Convicted", describeCulprits(found)),
    ...section("What certificates alone do not prove", told(false)),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a file holds whose bytes are those of a certificate or an electorate. */
function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

function verifySeveral({ values, positionals: files }: Parameters<Run>[0], io: CommandIo): CommandResult {
  const electorate = readElectorate(values, io);
  const checked = files.map((file): Read => ({ file, ...checkFile(file, electorate, io) }));
  const certificates = checked.map(({ file, verdict }) => ({ file, verdict }));
  for (const { file, verdict } of checked) {
    if (verdict.ok) continue;
    const json = { ok: false, file, reason: verdict.reason, certificates };
    return { exitCode: 1, json, text: `${file}: the certificate does not hold: ${verdict.reason}.\n` };
  }
  const found = forensics(
    checked.map(({ bytes }) => parse(bytes)),
    parse(electorate.bytes),
  );
  if (!found.ok) {
    const file = files[found.certificate ?? 0] ?? "";
    const text = `${file}: the certificate cannot be compared with ${files[0]}: ${found.reason}.\n`;
    return { exitCode: 1, json: { ok: false, file, reason: found.reason, certificates }, text };
  }
  const isOne = found.conflicts.length === 0;
  const text = isOne ? `All ${files.length} certificates hold, and agree.\n` : tellConflicts(found, checked);
  return { exitCode: isOne ? 0 : 1, json: { ...found, ok: isOne, certificates }, text };
}

export const run: Run = async (given, io) =>
  given.positionals.length > 1 ? verifySeveral(given, io) : await verifyOne(given, io);
