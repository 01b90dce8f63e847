import { z } from "zod";
import { createStamp } from "../../stamp.ts";
import { findPublicKeyFault } from "../codec/public-key.ts";

/** Most members of one electorate. Ballots travel all to one; a certificate of this many is about 1.3 MB. */
export const membersMax = 1_024;
/** Largest total weight W: weights are integers, and every product in the arithmetic stays below 2^53. */
export const totalWeightMax = 1_000_000_000;

/** Text that UTF-8 can carry: without lone surrogates, at most `max` UTF-16 units. */
export function text(max: number, min = 0): z.ZodString {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => value.isWellFormed(), "the text has a lone surrogate");
}

/** Lowercase hex of exactly `bytes` bytes. */
export function hex(bytes: number): z.ZodString {
  return z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${2 * bytes} lowercase hex digits`);
}

/** A voter's name: what its ballots are signed as. */
export const memberId = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@/#-]*$/,
    'must start with a letter or digit and hold only letters, digits and ". _ : @ / # -"',
  );

/** One member: who may vote, with which key and weight. `group` and `host` say what its faults may have in common. */
export const memberSchema = z.strictObject({
  id: memberId,
  /** The raw 32-byte Ed25519 key in hex. */
  publicKey: hex(32),
  /** Voting power: a whole number of at least 1. */
  weight: z.int().min(1).max(totalWeightMax),
  /** What faults may be shared: a model family, a provider, a team. */
  group: text(200, 1).optional(),
  /** The machine or process that holds the key. */
  host: text(200, 1).optional(),
  /** Who holds the key: "agent", the voter alone; "host", the process that runs the decision. Left out: not stated. */
  custody: z.enum(["agent", "host"]).optional(),
});

/** Everybody who may vote, sorted by id; frozen for a decision and named by its digest. */
export const electorateSchema = z.strictObject({
  v: z.literal(1),
  epoch: z.int().min(0),
  members: z.array(memberSchema).min(1).max(membersMax),
});

/** One voter as everybody may know it. */
export type Member = z.output<typeof memberSchema>;
/** Who may vote, with which keys and weights. */
export type Electorate = z.output<typeof electorateSchema>;

export type ElectorateFaultCode =
  | "MALFORMED"
  | "DUPLICATE_ID"
  | "DUPLICATE_KEY"
  | "WEAK_KEY"
  | "UNSORTED"
  | "TOO_HEAVY";

/** What makes an electorate unusable, in words and as a code. */
export interface ElectorateFault {
  readonly code: ElectorateFaultCode;
  readonly problem: string;
}

/** The order of members and ballots: by UTF-16 code units, the same on every machine. */
export function compareIds(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Members in canonical order; the electorate is not checked yet. */
export function arrangeElectorate(members: readonly Member[], epoch: number): Electorate {
  return { v: 1, epoch, members: members.toSorted((left, right) => compareIds(left.id, right.id)) };
}

/** Says why a value is not an electorate that can vote, or nothing. */
export function findElectorateFault(value: unknown): ElectorateFault | undefined {
  const parsed = electorateSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "electorate" : issue.path.join(".");
    return { code: "MALFORMED", problem: `${where}: ${issue?.message ?? "not an electorate"}` };
  }
  const keys = new Map<string, string>();
  let total = 0;
  let before: string | undefined;
  for (const member of parsed.data.members) {
    const { id, publicKey } = member;
    if (before === id) return { code: "DUPLICATE_ID", problem: `member "${id}" is listed twice; ids must differ` };
    if (before !== undefined && compareIds(before, id) > 0) {
      return { code: "UNSORTED", problem: `member "${id}" stands after "${before}"; members must be sorted by id` };
    }
    const weakness = findPublicKeyFault(publicKey);
    if (weakness !== undefined) {
      return {
        code: "WEAK_KEY",
        problem: `the public key of "${id}" is ${weakness}; make a new key with createMember`,
      };
    }
    const owner = keys.get(publicKey);
    if (owner !== undefined) {
      return {
        code: "DUPLICATE_KEY",
        problem: `"${owner}" and "${id}" share one public key; each member needs its own`,
      };
    }
    keys.set(publicKey, id);
    total += member.weight;
    before = id;
  }
  if (total > totalWeightMax) {
    return { code: "TOO_HEAVY", problem: `the total weight ${total} is above ${totalWeightMax}; divide the weights` };
  }
  return undefined;
}

export function totalWeightOf(members: readonly { readonly weight: number }[]): number {
  return members.reduce((sum, member) => sum + member.weight, 0);
}

const positions = createStamp<ReadonlyMap<string, number>>();

function positionsOf(members: readonly Member[]): ReadonlyMap<string, number> | undefined {
  const known = positions.of(members);
  if (known !== undefined || !Object.isExtensible(members)) return known;
  const found = new Map(members.map((member, index) => [member.id, index]));
  positions.put(members, found);
  return found;
}

/** The position of a member in canonical order, or -1. Remembered for a list that can be noted on. */
export function indexOfMember({ members }: Electorate, id: string): number {
  const index = positionsOf(members)?.get(id) ?? -1;
  // A list that was changed since it was first asked about, or is frozen, is searched as it is.
  return members[index]?.id === id ? index : members.findIndex((member) => member.id === id);
}
