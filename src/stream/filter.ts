import type { Happening } from "../ports/observe.ts";

/** What a subscriber wants to hear. Every field given must match. */
export interface EventFilter {
  /** An event type, or a prefix with a star at the end: "call.*". Several are alternatives. */
  readonly type?: string | readonly string[];
  /** An agent's path, or a prefix with a star at the end: "/reviewer/*". */
  readonly agent?: string;
  readonly runId?: string;
  readonly decisionId?: string;
}

function matches(pattern: string, value: string): boolean {
  return pattern.endsWith("*") ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

export function passes(filter: EventFilter, event: Happening): boolean {
  const { type, agent, runId, decisionId } = filter;
  if (type !== undefined && !(typeof type === "string" ? [type] : type).some((pattern) => matches(pattern, event.type)))
    return false;
  if (agent !== undefined && (event.agent === undefined || !matches(agent, event.agent))) return false;
  if (runId !== undefined && event.runId !== runId) return false;
  return decisionId === undefined || event.decisionId === decisionId;
}
