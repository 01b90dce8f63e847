/** One thing that happened to a message, a call or a monitor, as the checker reads it. */
export interface Deed {
  readonly deed:
    | "sent"
    /** Said by a guest, of which nothing is promised. */
    | "said"
    | "delivered"
    /** A letter came back: the message was taken by nobody, or that is not known. */
    | "dead"
    | "doubtful"
    | "called"
    /** The peer's answer arrived, the call got its outcome, and its caller heard of it. */
    | "answered"
    | "settled"
    | "resolved"
    | "watched"
    /** The peer's notice arrived, the monitor fell, or its watcher watches no more. */
    | "told"
    | "down"
    | "left";
  /** Which pair of sender and receiver, and which message. */
  readonly stream: string;
  readonly id: number;
}

/** What must have happened before: one of these. */
const causes: { readonly [deed in Deed["deed"]]?: readonly Deed["deed"][] } = {
  delivered: ["sent", "said"],
  dead: ["sent", "called"],
  doubtful: ["sent"],
  answered: ["called"],
  settled: ["called"],
  resolved: ["settled"],
  told: ["watched"],
  down: ["watched"],
  left: ["watched"],
};

/** What follows from each when every session is over, and how often. */
const ends = [
  ["called", ["settled"]],
  ["called", ["resolved"]],
  ["watched", ["down", "left"]],
] as const;

/**
 * What the protocol promises, judged over a history: in order, at most once, nothing without its cause. Where everything
 * has `arrived`, nothing is lost; where every session is `over`, what was told was delivered or came back as a letter, and
 * each call and each monitor has ended exactly once.
 */
export function judgeHistory(history: readonly Deed[], stage: "underway" | "arrived" | "over"): string[] {
  const found: string[] = [];
  const counts = new Map<string, number>();
  const count = (deed: string, { stream, id }: Pick<Deed, "stream" | "id">): number =>
    counts.get(`${deed} ${stream} ${id}`) ?? 0;
  const last = new Map<string, number>();
  for (const one of history) {
    const { deed, stream, id } = one;
    counts.set(`${deed} ${stream} ${id}`, count(deed, one) + 1);
    const cause = causes[deed];
    if (cause === undefined) continue;
    if (!cause.some((before) => count(before, one) > 0))
      found.push(`${stream}: ${id} was ${deed}, but not ${cause.join(" or ")}`);
    if (count(deed, one) > 1) found.push(`${stream}: ${id} was ${deed} twice`);
    else if (deed === "delivered" && id < (last.get(stream) ?? id))
      found.push(`${stream}: ${id} came after ${last.get(stream)}`);
    if (deed === "delivered") last.set(stream, Math.max(last.get(stream) ?? id, id));
    if (count("delivered", one) > 0 && count("dead", one) > 0)
      found.push(`${stream}: ${id} was delivered, and came back`);
  }
  for (const one of history) {
    if (one.deed === "sent" && count("delivered", one) === 0) {
      const isTold = stage === "over" && count("dead", one) + count("doubtful", one) > 0;
      if (stage !== "underway" && !isTold) found.push(`${one.stream}: ${one.id} was lost`);
    }
    for (const [deed, answers] of stage === "over" ? ends : []) {
      const ended = answers.reduce((sum, answer) => sum + count(answer, one), 0);
      if (one.deed === deed && ended !== 1)
        found.push(`${one.stream}: ${one.id} was ${deed}, and ${ended} times ${answers.join(" or ")}`);
    }
  }
  return found;
}
