import { z } from "zod";
import type { Json, Outcome } from "../../../machines/failure.ts";
import type { Store } from "../../ports/store.ts";
import type { Vote } from "../voter.ts";

const keptSchema = z.object({ ballots: z.array(z.unknown()), report: z.unknown() });

/** The log of what one member answered in one round. */
export function ballotLog(proposalDigest: string, memberId: string): string {
  return `ballots/${proposalDigest}/${memberId}`;
}

/**
 * The one answer of a voter in one round: that of an earlier life, or a new one, which is in the store before anybody
 * sees it. A voter that falls and is asked again would sign a second ballot otherwise, and convict itself.
 */
export async function keepVote(
  store: Pick<Store, "append" | "read">,
  log: string,
  make: () => Promise<Outcome<Vote>>,
): Promise<Outcome<Vote>> {
  const recall = async (): Promise<Outcome<Vote> | undefined> => {
    const [first] = await store.read(log, 0, 1);
    return first === undefined ? undefined : { ok: true, value: keptSchema.parse(first.body) };
  };
  const before = await recall();
  if (before !== undefined) return before;
  const made = await make();
  if (!made.ok) return made;
  const { ballots, report } = made.value;
  const written = await store.append(log, [{ ballots, report } as unknown as Json], 0);
  return written.ok ? made : ((await recall()) ?? made);
}
