import { forensics, type Forensics } from "../../consensus/forensics/forensics.ts";
import { transcriptsMax } from "../../consensus/forensics/blame.ts";
import { describeEvidence, section } from "../../consensus/report.ts";
import type { CommandIo, CommandResult, Run } from "../command.ts";
import { TroupeError } from "../../errors.ts";
import { checkFile, read, readElectorate, run as verifyOne, type CheckedFile } from "../decide/verify.ts";

type Found = Extract<Forensics, { readonly ok: true }>;

const refusals = {
  "unknown-member": "--silent names somebody who is no member of this electorate",
  "too-many-transcripts": `more than ${transcriptsMax} transcripts: give one of each member`,
} as const;

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

/** What is told of the members' transcripts: those that do not hold, who is lacking, and what waits for an answer. */
function tellTranscripts({ transcripts, lacking, accusations, conflicts }: Found, files: readonly string[]): string[] {
  const refused = transcripts.flatMap((verdict, index) =>
    verdict.ok
      ? []
      : [`${files[index] ?? ""}${verdict.member === null ? "" : ` (${verdict.member})`}: ${verdict.reason}`],
  );
  const spoilt = (id: string): string[] =>
    transcripts.flatMap((verdict, index) => (!verdict.ok && verdict.member === id ? [files[index] ?? ""] : []));
  const open = accusations.flatMap(({ evidence, unheard }) => [
    `${describeEvidence(evidence)}, unless one of ${unheard.join(", ")} shows that it moved its lock by the rules`,
    `ask for their transcripts; whoever was asked and gave none is to be named: ${unheard.map((id) => `--silent ${id}`).join(" ")}`,
    ...unheard.flatMap((id) =>
      spoilt(id).map(
        (file) => `${file} may be of anybody: leave it out, and name ${id}, once ${id} was asked again in vain`,
      ),
    ),
  ]);
  const isOpen = conflicts.some(({ kind, isExplained }) => kind === "locks" && !isExplained);
  return [
    ...section("Transcripts that do not hold, and count for nothing", refused),
    ...section("Accused, and not convicted yet", open),
    ...(isOpen
      ? section("Members without a transcript that holds", lacking.length === 0 ? [] : [lacking.join(", ")])
      : []),
  ];
}

function tellConflicts(found: Found, checked: readonly Read[], transcripts: readonly string[]): string {
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
    ...section("What is not proven", told(false)),
    ...tellTranscripts(found, transcripts),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a file holds whose bytes are those of a certificate or an electorate. */
function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

/** What a transcript file holds. Whatever is no JSON is no transcript: the check says so, beside the others. */
function readTranscript(file: string, io: CommandIo): unknown {
  const bytes = read(file, io);
  try {
    return parse(bytes);
  } catch {
    return null;
  }
}

function tellAgreeing(
  found: Found,
  files: { readonly count: number; readonly transcripts: readonly string[] },
): string {
  const lines = [
    `All ${files.count} certificates hold, and agree.`,
    ...section("Convicted", describeCulprits(found)),
    ...tellTranscripts(found, files.transcripts),
  ];
  return `${lines.join("\n")}\n`;
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
  const transcriptFiles = (values["transcript"] ?? []) as readonly string[];
  const silent = (values["silent"] ?? []) as readonly string[];
  const found = forensics(
    checked.map(({ bytes }) => parse(bytes)),
    parse(electorate.bytes),
    { transcripts: transcriptFiles.map((file) => readTranscript(file, io)), silent },
  );
  if (!found.ok) {
    if (found.reason === "unknown-member" || found.reason === "too-many-transcripts")
      throw new TroupeError("usage/bad-argument", refusals[found.reason]);
    const file = files[found.certificate ?? 0] ?? "";
    const text = `${file}: the certificate cannot be compared with ${files[0]}: ${found.reason}.\n`;
    return { exitCode: 1, json: { ok: false, file, reason: found.reason, certificates }, text };
  }
  const isOne = found.conflicts.length === 0;
  const text = isOne
    ? tellAgreeing(found, { count: files.length, transcripts: transcriptFiles })
    : tellConflicts(found, checked, transcriptFiles);
  const transcripts = found.transcripts.map((verdict, index) => ({ file: transcriptFiles[index], verdict }));
  return { exitCode: isOne ? 0 : 1, json: { ...found, ok: isOne, certificates, transcripts }, text };
}

export const run: Run = async (given, io) => {
  if (given.positionals.length > 1) return verifySeveral(given, io);
  if (given.values["transcript"] !== undefined || given.values["silent"] !== undefined)
    throw new TroupeError(
      "usage/bad-argument",
      "--transcript and --silent are for certificates that contradict each other: give two or more",
    );
  return await verifyOne(given, io);
};
