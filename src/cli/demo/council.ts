import { makeEquivocate } from "../../consensus/byzantine.ts";
import type { Decision } from "../../consensus/decision.ts";
import type { Concern } from "../../consensus/opinion/opinion.ts";
import type { AgentRef } from "../../dispatch/ref.ts";
import type { StreamEvent } from "../../stream/stream.ts";
import type { Troupe } from "../../troupe/troupe.ts";
import type { ProgressLine } from "../progress.ts";

/** Seats in the council: one for each expert of `troupe/agents`. */
export const seats = 5;

/** The longest the council may take before it closes with the ballots it has: five minutes. */
export const councilTimeoutMs = 300_000;

/** The release question's options, boldest first, as the published rule has them. */
const options = [
  { id: "release", label: "Release it as it is" },
  { id: "fix-first", label: "Fix the most important concerns, then release" },
  { id: "hold", label: "Hold the release until it has been looked at again" },
];

export interface CouncilRequest {
  /** Absolute path of the folder to examine. */
  readonly folder: string;
  /** Experts that vote twice, differently. */
  readonly byzantine: number;
  /** Experts that are killed in the middle of their work. */
  readonly crash: number;
  readonly signal: AbortSignal;
  readonly show: (line: ProgressLine) => void;
  readonly say: (text: string) => void;
}

/** What one expert reports. One that abstains, or is absent, has no confidence. */
export interface ExpertReport {
  readonly agent: string;
  readonly recommendation: string;
  readonly confidence: number | null;
  readonly reasoning: string;
  readonly concerns: readonly Concern[];
}

export interface CouncilResult {
  readonly decision: Decision;
  readonly reports: readonly ExpertReport[];
  readonly restarts: number;
}

/** Seats the five experts under one supervisor, collects their signed ballots on releasing a folder, and reports. */
export async function holdCouncil(troupe: Troupe, request: CouncilRequest): Promise<CouncilResult> {
  const { folder, byzantine, crash, signal } = request;
  const { experts } = await import("troupe/agents");
  // Room for every expert to be killed once, and for one real crash besides.
  const intensity = { restarts: crash + 1, withinMs: councilTimeoutMs };
  const council = await troupe.supervise({
    name: "council",
    intensity,
    children: experts.map((agent) => ({ agent, restart: "permanent" as const })),
  });
  const { agents } = council;
  const watch = watchCouncil(troupe, { agents, request });
  const voters = agents.map((ref, seat) => {
    const voter = troupe.voter(ref);
    return seat < byzantine ? makeEquivocate(voter) : voter;
  });
  const decision = await troupe.decide({
    question: `Should the project in ${folder} be released?`,
    options,
    voters,
    method: "approval",
    prefer: "bold",
    threshold: ">2/3",
    close: "all",
    secrecy: "open",
    confidence: { gate: null, floor: 0 },
    context: { folder },
    timeoutMs: councilTimeoutMs,
    signal,
  });
  const restarts = await watch.end();
  return { decision, reports: agents.map((ref) => reportOf(ref, decision)), restarts };
}

function reportOf(ref: AgentRef, decision: Decision): ExpertReport {
  const agent = nameOf(ref.path);
  const ballot = decision.ballots.find((each) => each.voter === ref.path.slice(1));
  if (ballot === undefined) {
    const absence = decision.absent.find((each) => each.voter === ref.path.slice(1));
    return {
      agent,
      recommendation: "abstain",
      confidence: null,
      reasoning: `Absent (${absence?.reason ?? "unknown"}): ${absence?.detail ?? "no ballot came"}`,
      concerns: [],
    };
  }
  return {
    agent,
    recommendation: ballot.recommendation ?? "abstain",
    confidence: ballot.confidence,
    reasoning: ballot.reasoning,
    concerns: ballot.concerns,
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Shows the experts' progress, and kills the first `crash` of them once each as soon as they are at work. */
function watchCouncil(
  troupe: Troupe,
  { agents, request }: { readonly agents: readonly AgentRef[]; readonly request: CouncilRequest },
): { end(): Promise<number> } {
  const subscription = troupe.events({ type: ["call.progress", "agent.*"] });
  const doomed = new Map(agents.slice(0, request.crash).map((ref) => [ref.path, ref]));
  const state = { restarts: 0 };
  const following = (async () => {
    for await (const event of subscription) follow(event, { doomed, request, state });
  })();
  return {
    async end() {
      await subscription.return();
      await following;
      return state.restarts;
    },
  };
}

interface Following {
  readonly doomed: Map<string, AgentRef>;
  readonly request: CouncilRequest;
  readonly state: { restarts: number };
}

function follow(event: StreamEvent, { doomed, request, state }: Following): void {
  const path = event.agent ?? "";
  const name = nameOf(path);
  if (event.type === "call.progress") {
    const { fraction, note } = event.data;
    request.show({
      name,
      fraction: typeof fraction === "number" ? fraction : undefined,
      note: typeof note === "string" ? note : "at work",
    });
    const victim = doomed.get(path);
    // The first report says only that work begins; the next one comes out of the middle of it.
    if (victim === undefined || fraction === 0) return;
    doomed.delete(path);
    victim.kill("killed on request (--crash)");
  } else if (event.type === "agent.crashed") {
    const { message } = event.data;
    request.say(typeof message === "string" ? message : `${name} crashed`);
  } else if (event.type === "agent.restarting") {
    state.restarts += 1;
    request.say(`${name} is restarted by its supervisor; its call goes on`);
  }
}
