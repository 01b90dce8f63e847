import { describe, expect, it } from "vitest";
import { createActor } from "xstate";
import { bftMachine } from "../../../../machines/consensus/bft/machine.ts";
import { fine, Scene } from "./scene.ts";
import { chartArrows, compareWithChart, type ChartNode } from "../../../simulation/shell-replay.ts";

/** Every arrow of the chart; the campaign replays more schedules (test/campaigns/simulation.test.ts). */
const schedules = 500;

function decideUnstarted(): string {
  const scene = new Scene();
  const votes = scene.others.map((voter) => scene.sign("precommit", voter, { value: "v" }));
  const actor = createActor(bftMachine).start();
  actor.send({ type: "council.joined", council: scene.council, self: scene.state.self });
  actor.send({ type: "council.joined", council: scene.council, self: scene.state.self + 1 });
  expect(actor.getSnapshot().context.self).toBe(scene.state.self);
  const was = String(actor.getSnapshot().value);
  actor.send({ type: "commit.received", commit: { round: 0, value: "v", votes }, judgement: fine });
  return `${was} -> ${String(actor.getSnapshot().value)}`;
}

/** Half a minute on a busy machine. */
const replayTimeoutMs = 120_000;

describe("the bft chart", () => {
  it(
    `gives the same effects, phases and contexts as the core over ${schedules} schedules, on every arrow (P14)`,
    { timeout: replayTimeoutMs },
    () => {
      const replay = compareWithChart(1, schedules);
      // A certificate that is faster than every vote is too rare for so few schedules.
      const late = decideUnstarted();
      expect(replay.differences).toEqual([]);
      expect(replay.events).toBeGreaterThan(50_000);
      expect([...new Set([...replay.arrows, late])].sort()).toEqual(chartArrows().sort());
      expect([...replay.heard, "council.joined"].sort()).toEqual(Object.keys(bftMachine.config.on ?? {}).sort());
    },
  );

  it("describes every state, event and arrow in words, and is plain JSON", () => {
    const { config } = bftMachine;
    const texts: string[] = [];
    const collect = (node: ChartNode): void => {
      texts.push(node.description ?? "");
      for (const { description } of node.always ?? []) texts.push(description);
      for (const child of Object.values(node.states ?? {})) collect(child);
    };
    collect(config as unknown as ChartNode);
    for (const arrow of Object.values(config.on ?? {})) texts.push((arrow as { description: string }).description);
    expect(texts.length).toBeGreaterThan(20);
    for (const text of texts) expect(text).toMatch(/^[A-Z].*\.$/);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });
});
