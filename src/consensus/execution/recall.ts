import { TroupeError } from "../../errors.ts";
import type { Store } from "../../ports/store.ts";
import { decisionLog } from "../announcer.ts";
import { decisionQuestion } from "../opinion/opinion.ts";
import type { Decided } from "./execute.ts";

type Entry = Partial<Decided> & { readonly type?: string; readonly question?: unknown };

/**
 * What was decided under an id, from the journal; undefined where the decision did not come to its end. It is data
 * like any other: whoever carries it out checks the certificate.
 * Errors: throws `usage/invalid-options` when the journal holds no decision of this id.
 */
export async function recallDecision(store: Pick<Store, "read">, decisionId: string): Promise<Decided | undefined> {
  const log = decisionLog(decisionId);
  const entries = (await store.read(log)).map(({ body }) => body as Entry);
  if (entries.length === 0)
    throw new TroupeError(
      "usage/invalid-options",
      `decisionId: the store holds no ${log}; give the id of a decision that was made on this store`,
    );
  const closed = entries.findLast(({ type }) => type === "decision.closed");
  // Options change from round to round, the electorate does not.
  const asked = entries.findLast(({ type }) => type === "decision.opened" || type === "decision.round");
  const question = decisionQuestion.safeParse(asked?.question);
  const { status, certificate } = closed ?? {};
  if (status === undefined || certificate === undefined || asked?.electorate === undefined || !question.success)
    return undefined;
  return { decisionId, status, certificate, electorate: asked.electorate, options: question.data.options };
}
