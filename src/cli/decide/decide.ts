import { join, resolve } from "node:path";
import type { TalliedRound } from "../../consensus/decision.ts";
import { renderDecision } from "../../consensus/report.ts";
import { sortKeys } from "../../consensus/verify.ts";
import { TroupeError } from "../../errors.ts";
import type { CommandIo, CommandResult, ParsedArguments } from "../command.ts";
import { agreeOnFile } from "./agree-file.ts";
import { readBallotsFile } from "./ballots-file.ts";
import { readJsonFile } from "./json-file.ts";
import { readPolicy, type FilePolicy } from "./policy-file.ts";
import { tallyPlainFile, tallySignedFile } from "./tally-file.ts";
import { writeDecision, type DecisionFiles } from "../demo/files.ts";

function readOptions(given: string | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const options = given.split(",").map((option) => option.trim());
  if (options.includes(""))
    throw new TroupeError("usage/bad-argument", `--options ${given}: one of them is empty; write a,b,c`);
  return options;
}

function readMode(given: string | undefined, policy: FilePolicy): "ballot" | "bft" {
  const mode: string = given ?? policy.mode ?? "ballot";
  if (mode === "ballot" || mode === "bft") return mode;
  throw new TroupeError("usage/bad-argument", `--mode ${mode}: it is no mode; choose ballot or bft`);
}

/** What is printed: unsigned entries carry no signature, and certificate and electorate are in canonical order. */
function documentOf(decision: TalliedRound, isSigned: boolean): object {
  const { proposal, ballots, electorate, certificate } = decision;
  const shown = { ...decision, certificate: certificate === null ? null : sortKeys(certificate) };
  if (isSigned) return { ...shown, electorate: sortKeys(electorate) };
  const members = electorate.members.map(({ publicKey: _key, ...member }) => member);
  return {
    ...shown,
    proposal: { body: proposal.body, sig: null },
    electorate: { ...electorate, members },
    ballots: ballots.map(({ ballot, ...record }) => ({ ...record, ballot: { body: ballot.body, sig: null } })),
  };
}

function tellFiles({ certificate, electorate }: DecisionFiles): string {
  return certificate === null
    ? `\nElectorate: ${electorate}\n`
    : `\nCheck it: troupe verify ${certificate} --electorate ${electorate}\n`;
}

export async function run({ values }: ParsedArguments, io: CommandIo): Promise<CommandResult> {
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const file = text("ballots");
  if (file === undefined)
    throw new TroupeError("usage/bad-argument", "--ballots is missing: name the file that holds the ballots");
  const policyFile = text("policy");
  const policy = policyFile === undefined ? {} : readPolicy(policyFile, readJsonFile(policyFile, io));
  const mode = readMode(text("mode"), policy);
  const asked = { question: text("question"), options: readOptions(text("options")), policy, file };
  const given = readBallotsFile(file, readJsonFile(file, io));
  const { decision, rejected } =
    mode === "bft"
      ? await agreeOnFile(given, asked)
      : given.isSigned
        ? tallySignedFile(given, asked)
        : tallyPlainFile(given, asked);
  const isSigned = given.isSigned || mode === "bft";
  // The keys of mode bft exist nowhere else, so without the electorate its certificate could not be checked.
  const out = text("out") ?? (mode === "bft" ? join(".troupe", "decisions", decision.decisionId) : undefined);
  if (out !== undefined && !isSigned)
    throw new TroupeError("usage/bad-argument", `--out ${out}: plain ballots give no certificate to write; sign them`);
  const files: DecisionFiles | undefined =
    out === undefined ? undefined : writeDecision(decision, resolve(io.cwd, out), io.cwd);
  const warnings = decision.assumptions.warnings.map(({ code }) => code);
  const refused = rejected.map(({ index, reason, detail }) => `  ballot ${index}: ${reason} (${detail})\n`).join("");
  return {
    exitCode: decision.status === "decided" ? 0 : 1,
    json: { ...documentOf(decision, isSigned), warnings, rejected, ...(files === undefined ? {} : { files }) },
    text: `${renderDecision(decision)}${refused === "" ? "" : `\nRejected\n${refused}`}${files === undefined ? "" : tellFiles(files)}`,
  };
}
