import { z } from "zod";
import type { Json } from "../../../machines/failure.ts";
import type { Store } from "../../ports/store.ts";
import type { Vote } from "../voter.ts";

const keptSchema = z.object({ ballots: z.array(z.unknown()), report: z.unknown() });

/** The log of what one member answered in one round. */
export function ballotLog(proposalDigest: string, memberId: string): string {
  return `ballots/${proposalDigest}/${memberId}`;
}

/** What a voter answered in an earlier life. */
export async function recallVote(store: Pick<Store, "read">, log: string): Promise<Vote | undefined> {
  const [first] = await store.read(log, 0, 1);
  return first === undefined ? undefined : keptSchema.parse(first.body);
}

/**
 * Puts a voter's one answer in one round into its store, before anybody sees it: a voter that falls and is asked again
 * would sign a second ballot otherwise, and convict itself. Gives the answer that counts: an earlier one, if there is.
 */
export async function keepVote(store: Pick<Store, "append" | "read">, log: string, made: Vote): Promise<Vote> {
  const { ballots, report } = made;
  const written = await store.append(log, [{ ballots, report } as unknown as Json], 0);
  return written.ok ? made : ((await recallVote(store, log)) ?? made);
}
