import { z } from "zod";
import { TroupeError } from "../../errors.ts";

const text = z.string().min(1).max(200);

/** A member as a ballots file may name it: without a key, as long as no ballot is signed. */
const plainMember = z.strictObject({
  id: text,
  publicKey: z.string().optional(),
  weight: z.int().min(1).default(1),
  group: text.optional(),
  host: text.optional(),
});

const ballotsFile = z.strictObject({
  electorate: z.looseObject({ members: z.array(z.unknown()).min(1).max(1_024) }).optional(),
  proposal: z.strictObject({ body: z.looseObject({}), sig: z.string() }).optional(),
  ballots: z.array(z.unknown()).min(1, "there is no ballot").max(10_000),
});

/** A plain ballot as it stands in a file. */
export const plainBallot = z.strictObject({
  voter: text,
  choice: z.union([
    z.null(),
    z.string(),
    z.array(z.string()),
    z.strictObject({ ranked: z.array(z.union([z.string(), z.array(z.string()).min(1)])).min(1) }),
    z.strictObject({ grades: z.record(z.string(), z.int().min(0).max(100)) }),
  ]),
  confidence: z.number().min(0).max(1).nullable().default(null),
  reasoning: z.string().max(65_536).default(""),
});

/** What a ballots file holds, before any ballot is judged. */
export interface BallotsFile {
  readonly isSigned: boolean;
  readonly electorate: unknown;
  readonly proposal: { readonly body: unknown; readonly sig: string } | undefined;
  readonly ballots: readonly unknown[];
}

function isSignedEntry(entry: unknown): boolean {
  return typeof entry === "object" && entry !== null && ("body" in entry || "sig" in entry);
}

/** Reads the frame of a ballots file. Errors: throws `usage/bad-file` naming file and field; a mix is refused whole. */
export function readBallotsFile(file: string, value: unknown): BallotsFile {
  const parsed = ballotsFile.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "" : ` ${issue.path.join(".")}:`;
    throw new TroupeError(
      "usage/bad-file",
      `${file}:${where} ${issue?.message ?? "not a ballots file"}; it holds {electorate?, proposal?, ballots: [...]}`,
    );
  }
  const { electorate, proposal, ballots } = parsed.data;
  const signed = ballots.map(isSignedEntry);
  const isSigned = signed[0] === true;
  const odd = signed.findIndex((each) => each !== isSigned);
  if (odd >= 0) {
    throw new TroupeError(
      "usage/bad-file",
      `${file}: ballots.${odd} is ${isSigned ? "plain" : "signed"} and ballots.0 is ${isSigned ? "signed" : "plain"}; a file holds either plain or signed ballots, so split it`,
    );
  }
  if (isSigned && (electorate === undefined || proposal === undefined)) {
    throw new TroupeError(
      "usage/bad-file",
      `${file}: signed ballots need "electorate" and "proposal" beside them; ${electorate === undefined ? "electorate" : "proposal"} is missing`,
    );
  }
  if (!isSigned && proposal !== undefined) {
    throw new TroupeError(
      "usage/bad-file",
      `${file}: "proposal" is for signed ballots, and these are plain; leave it out and give --question, --options and --policy`,
    );
  }
  return { isSigned, electorate, proposal, ballots };
}

/** The members of a plain vote: those of the file, or weight 1 for each distinct voter that a ballot names. */
export function readPlainMembers(file: string, given: BallotsFile): z.output<typeof plainMember>[] {
  if (given.electorate === undefined) {
    const voters = given.ballots.flatMap((entry) => {
      const voter = typeof entry === "object" && entry !== null && "voter" in entry ? entry.voter : undefined;
      return typeof voter === "string" && voter !== "" ? [voter] : [];
    });
    if (voters.length === 0) throw new TroupeError("usage/bad-file", `${file}: ballots: none of them names its voter`);
    return [...new Set(voters)].map((id) => ({ id, weight: 1 }));
  }
  const { members } = given.electorate as { members: readonly unknown[] };
  return members.map((member, index) => {
    const parsed = plainMember.safeParse(member);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = ["electorate", "members", index, ...(issue?.path ?? [])].join(".");
    throw new TroupeError("usage/bad-file", `${file}: ${where}: ${issue?.message ?? "not a member"}`);
  });
}
