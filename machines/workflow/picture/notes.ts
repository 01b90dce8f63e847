import type { Definition, ErrorRoute, RetryPolicy, Step } from "../definition.ts";
import { describeMs, describeTarget } from "../kinds/describe.ts";
import type { StepKind } from "../kinds/kind.ts";

/** Longest note; the rest of a long expression is left out. */
export const noteCharactersMax = 80;

export function shorten(text: string, most: number = noteCharactersMax): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

function describeRetry({ attempts, strategy, firstMs }: RetryPolicy): string[] {
  if (attempts <= 1) return [];
  const pace = strategy === "none" ? "at once" : `${strategy} from ${describeMs(firstMs)}`;
  return [`up to ${attempts} attempts, ${pace}`];
}

/** As `call/*, store/*`; all of them are "any failure". */
export function describeCodes(codes: readonly string[]): string {
  return codes.includes("*") ? "any failure" : codes.join(", ");
}

function describeRoute(route: ErrorRoute): string[] {
  const when = `on ${describeCodes(route.error)}`;
  switch (route.action) {
    case "next":
      return [];
    case "continue":
      return [`${when}: goes on`];
    case "fallback":
      return [`${when}: ${describeTarget(route.fallback ?? {})} instead`];
    case "rollback":
      return [`${when}: back to the checkpoint`];
    case "fail":
      return [`${when}: the run fails`];
  }
}

/** What is worth knowing of a step, a line each. */
export function notesOf(step: Step, kind: StepKind): readonly string[] {
  const { condition, retry, timeout, sla, onError = [], compensate, checkpoint } = step;
  return [
    kind.describe(step),
    ...(condition === undefined ? [] : [`only if ${condition}`]),
    ...(retry === undefined ? [] : describeRetry(retry)),
    ...(timeout === undefined ? [] : [`at most ${describeMs(timeout)}`]),
    ...(sla === undefined ? [] : [`late after ${describeMs(sla)}`]),
    ...onError.flatMap(describeRoute),
    ...(compensate === undefined ? [] : [`undone by ${describeTarget(compensate)}`]),
    ...(checkpoint === true ? ["checkpoint"] : []),
  ]
    .filter((note) => note !== "")
    .map((note) => shorten(note));
}

/** What starts runs of a definition besides a call. */
export function startersOf({ triggers = [], schedules = [] }: Definition): readonly string[] {
  return [
    ...triggers.map(({ event, match }) => `event ${event}${match === undefined ? "" : ` where ${match}`}`),
    ...schedules.map(({ cron, everyMs }) =>
      cron === undefined ? `every ${describeMs(everyMs ?? 0)}` : `cron ${cron}`,
    ),
  ].map((starter) => shorten(starter));
}
