import { agentChart, type AgentState } from "../../machines/agent/machine.ts";
import type { Cell } from "./cell.ts";
import { chartLogic, type ChartLogic } from "./interpret.ts";

export type LifeEvent = "started" | "work" | "rest" | "pause" | "resume" | "drain" | "stop" | "crash";

/** The XState logic of every default agent. */
export const lifeLogic: ChartLogic = chartLogic(agentChart);

/** What each event does to the state, and the one object that tells the actor: the chart's events carry no data. */
export const lifeMoves: { readonly [Event in LifeEvent]: LifeMove<Event> } = {
  started: lifeMove("started"),
  work: lifeMove("work"),
  rest: lifeMove("rest"),
  pause: lifeMove("pause"),
  resume: lifeMove("resume"),
  drain: lifeMove("drain"),
  stop: lifeMove("stop"),
  crash: lifeMove("crash"),
};

interface LifeMove<Event extends LifeEvent> {
  readonly sent: { readonly type: Event };
  readonly to: { readonly [State in AgentState]?: AgentState };
}

function lifeMove<Event extends LifeEvent>(type: Event): LifeMove<Event> {
  return { sent: { type }, to: agentChart.arrows(type) };
}

/** How a user's own machine stands: it may break or end as soon as it starts. A default agent has none. */
export function machineEnd(cell: Cell): { readonly status: string; readonly error?: unknown } | undefined {
  if (cell.behaviour.logic === undefined) return undefined;
  return cell.actor?.getSnapshot() as { readonly status: string; readonly error?: unknown } | undefined;
}
