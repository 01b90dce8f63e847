import { isDeepStrictEqual } from "node:util";
import type { BftState } from "../../machines/consensus/bft/state.ts";
import type { Council } from "../../machines/consensus/bft/council.ts";
import { bftMachine } from "../../machines/consensus/bft/machine.ts";
import { agreeing } from "../../src/consensus/bft/shell.ts";
import { runChart } from "../../src/system/charted.ts";
import { simulate } from "../../src/testing/simulation/simulate.ts";

/** As much of a chart's definition as is looked at here. */
export interface ChartNode {
  readonly description?: string;
  readonly always?: readonly { readonly target: string; readonly description: string }[];
  readonly states?: Readonly<Record<string, ChartNode>>;
}

function arrowsOf(node: ChartNode, name: string): string[] {
  const own = (node.always ?? []).map(({ target }) => `${name} -> ${target}`);
  return [...own, ...Object.entries(node.states ?? {}).flatMap(([child, each]) => arrowsOf(each, child))];
}

/** Every arrow of the bft chart, as \`was -> is\`. */
export function chartArrows(): string[] {
  return arrowsOf(bftMachine.config as unknown as ChartNode, "bft");
}

/** What replaying schedules through the chart showed. */
export interface ShellReplay {
  readonly events: number;
  /** Where chart and core differ; empty is as it should be. */
  readonly differences: readonly string[];
  /** Phases that followed each other. */
  readonly arrows: ReadonlySet<string>;
  /** Types of events that came in. */
  readonly heard: ReadonlySet<string>;
}

function seatChart(council: Council, self: number) {
  const chart = runChart(agreeing);
  chart.tell({ type: "council.joined", council, self });
  return chart;
}

/** Differences that are told; more say the same. */
const differencesMax = 5;

/**
 * Runs schedules and sends each event of each correct member to the shell that replicas run in as well: phase and effects
 * are compared after every event, the whole context at the end of each life of a member.
 */
export function compareWithChart(from: number, count: number): ShellReplay {
  const differences: string[] = [];
  const arrows = new Set<string>();
  const heard = new Set<string>();
  let events = 0;
  const differ = (text: string): void => void (differences.length < differencesMax && differences.push(text));
  for (let seed = from; seed < from + count; seed += 1) {
    const lives = new Map<string, { chart: ReturnType<typeof seatChart>; core: BftState }>();
    simulate(seed, {
      listener: (member, { before, event, effects }) => {
        events += 1;
        heard.add(event.type);
        const name = `${member.index}/${member.incarnation}`;
        const chart = lives.get(name)?.chart ?? seatChart(before.council, member.index);
        lives.set(name, { chart, core: member.state });
        const was = chart.phase;
        const asked = chart.tell(event);
        if (was !== chart.phase) arrows.add(`${was} -> ${chart.phase}`);
        if (chart.phase !== member.state.phase) {
          differ(`seed ${seed}, member ${name}: chart in ${chart.phase}, core in ${member.state.phase}`);
        }
        if (!isDeepStrictEqual(asked, effects)) {
          differ(`seed ${seed}, member ${name}: other effects of ${event.type}`);
        }
      },
    });
    for (const [name, { chart, core }] of lives) {
      if (!isDeepStrictEqual(chart.state, core)) differ(`seed ${seed}, member ${name}: other context`);
      chart.stop();
    }
  }
  return { events, differences, arrows, heard };
}
