import { z } from "zod";
import type { DurableState } from "../../../machines/consensus/bft/state.ts";
import { agreedValueSchema, type AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import { proposalSchema, voteSchema } from "../../../machines/consensus/codec/statement-messages.ts";
import { hex } from "../../../machines/consensus/electorate/electorate.ts";
import type { Json } from "../../../machines/failure.ts";
import { rowsMax, type Store } from "../../ports/store.ts";
import { votesSchema } from "./wire.ts";

const round = z.int().min(-1);
const durableSchema: z.ZodType<DurableState> = z.strictObject({
  round,
  lockedRound: round,
  lockedValue: hex(32).nullable(),
  validRound: round,
  validValue: hex(32).nullable(),
  polka: votesSchema,
  entry: votesSchema,
  own: votesSchema,
});

const openedSchema = z.strictObject({ type: z.literal("opened"), publicKey: hex(32) });
const signedSchema = z.strictObject({
  type: z.literal("signed"),
  durable: durableSchema,
  statement: z.union([voteSchema, proposalSchema]),
  /** The polka that it leans on. */
  polka: votesSchema,
  /** The value that is named here for the first time. */
  content: agreedValueSchema.nullable(),
});

/** One thing that a member signed, with everything it must not forget. */
export type SignedRecord = z.output<typeof signedSchema>;

/** What a member finds of an earlier life. "lost": it voted here before and cannot know what. */
export type Recollection = "new" | "lost" | readonly SignedRecord[];

/** The durable memory of one member in one decision. */
export interface VoteStore {
  /** Opens the memory. `isResumed`: this member has taken part before, so that an empty memory is a lost one. */
  open(isResumed: boolean): Promise<Recollection>;
  /** Resolves when the record is durable; only then may the signature leave. False where it is not. */
  append(record: SignedRecord): Promise<boolean>;
}

/** The log of one member's signatures in one decision. */
export function voteLog(decision: string, memberId: string): string {
  return `votes/${decision}/${memberId}`;
}

async function readAll(store: Pick<Store, "read">, log: string): Promise<readonly Json[]> {
  const bodies: Json[] = [];
  for (;;) {
    const page = await store.read(log, bodies.length, rowsMax);
    bodies.push(...page.map(({ body }) => body));
    if (page.length < rowsMax) return bodies;
  }
}

function recall(bodies: readonly Json[], publicKey: string): "lost" | readonly SignedRecord[] {
  const first = openedSchema.safeParse(bodies[0]);
  if (!first.success || first.data.publicKey !== publicKey) return "lost";
  const records: SignedRecord[] = [];
  for (const [index, body] of bodies.entries()) {
    if (index === 0) continue;
    const record = signedSchema.safeParse(body);
    if (record.success) records.push(record.data);
    else if (index < bodies.length - 1) return "lost";
  }
  return records;
}

/** What a vote store holds, by whoever only reads it; "new" where it holds nothing. */
export async function readVotes(
  store: Pick<Store, "read">,
  name: { readonly decision: string; readonly memberId: string; readonly publicKey: string },
): Promise<Recollection> {
  const bodies = await readAll(store, voteLog(name.decision, name.memberId));
  return bodies.length === 0 ? "new" : recall(bodies, name.publicKey);
}

/**
 * A vote store on the Store port. A last record that cannot be read was not complete when the member fell, so its
 * signature never left and it is ignored; one that cannot be read before others is damage, and the memory is lost.
 */
export function openVoteStore(
  store: Pick<Store, "append" | "read">,
  name: { readonly decision: string; readonly memberId: string; readonly publicKey: string },
): VoteStore {
  const log = voteLog(name.decision, name.memberId);
  let written = 0;
  return {
    async open(isResumed) {
      const bodies = await readAll(store, log);
      written = bodies.length;
      if (written > 0) return recall(bodies, name.publicKey);
      if (isResumed) return "lost";
      const opened = await store.append(log, [{ type: "opened", publicKey: name.publicKey }], 0);
      written = 1;
      return opened.ok ? "new" : "lost";
    },
    async append(record) {
      const result = await store.append(log, [record as unknown as Json], written);
      if (result.ok) written += 1;
      return result.ok;
    },
  };
}

/** The memory of one that signs nothing. */
export const nothingToKeep: VoteStore = { open: () => Promise.resolve("new"), append: () => Promise.resolve(false) };
/** The memory of members that no crash of this process outlives: whoever comes after it has another key or is silent. */
export const nothingKept: VoteStore = { open: () => Promise.resolve("new"), append: () => Promise.resolve(true) };

/** The values that records hold, by digest. */
export function contentsOf(records: readonly SignedRecord[]): readonly (readonly [string, AgreedValue])[] {
  return records.flatMap(({ statement, content }) =>
    content === null || statement.value === null ? [] : [[statement.value, content] as const],
  );
}
