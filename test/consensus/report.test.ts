import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeEquivocate } from "../../src/consensus/byzantine.ts";
import { renderDecision } from "../../src/consensus/report.ts";
import { failing, opinionOf, openRoom, voterOf } from "./panel.ts";

const ladder = {
  question: "Release Troupe 0.1?",
  options: ["release", "fix-first", "hold"],
  method: "approval",
  prefer: "bold",
} as const;
const all = ["release", "fix-first", "hold"];

function page(name: string): string {
  return fileURLToPath(new URL(`../fixtures/consensus/${name}.txt`, import.meta.url));
}

describe("the report of a decision", () => {
  it("is a page a person understands: who voted what with what weight, why it passed, dissent, evidence and proof", async () => {
    const decision = await openRoom().decide({
      ...ladder,
      close: "all",
      threshold: "2/3",
      voters: [
        voterOf(
          { id: "security", weight: 2 },
          opinionOf("fix-first", {
            approves: ["fix-first", "hold"],
            confidence: 0.75,
            reasoning: "Two secrets are committed.\nRemove them first.",
          }),
        ),
        voterOf("performance", opinionOf("release", { approves: all, confidence: 0.9, reasoning: "" })),
        voterOf(
          "maintainability",
          opinionOf("fix-first", {
            approves: ["fix-first", "hold"],
            alternatives: [{ id: "beta", description: "Publish a beta first" }],
          }),
        ),
        voterOf("business", opinionOf("release", { approves: all, confidence: null })),
        voterOf("user-experience", opinionOf("abstain", { reasoning: "No user interface to judge." })),
        makeEquivocate(voterOf("liar", opinionOf("release", { approves: all }))),
      ],
    });
    await expect(renderDecision(decision)).toMatchFileSnapshot(page("report-decided"));
  });

  it("says why nothing was decided, and that the faults were beyond the bounds", async () => {
    const decision = await openRoom().decide({
      ...ladder,
      close: "all",
      voters: [
        ...["a", "b", "c"].map((id) => voterOf(id, opinionOf("release", { approves: all }))),
        makeEquivocate(voterOf("d", opinionOf("release", { approves: all }))),
        voterOf("e", failing),
      ],
    });
    await expect(renderDecision(decision)).toMatchFileSnapshot(page("report-undecided"));
  });

  it("says it for every way of not deciding", async () => {
    const render = async (recommendations: readonly string[], rest: object = {}): Promise<string> => {
      const voters = recommendations.map((recommendation, index) =>
        voterOf(`v${index}`, opinionOf(recommendation, { confidence: recommendation === "abstain" ? null : 0.5 })),
      );
      return renderDecision(await openRoom().decide({ ...ladder, prefer: "score", close: "all", ...rest, voters }));
    };
    expect(await render(["hold", "hold", "release"])).toContain(
      'no option reached 3 (>2/3 of the registered weight of 3); "hold" came closest with 2.',
    );
    expect(await render(["hold", "hold", "hold"], { confidence: { gate: 0.7 } })).toContain(
      "median confidence is 50 %, below the gate of 70 %",
    );
    expect(await render(["abstain", "abstain", "abstain"])).toContain("0 ballots did more than abstain, but 1 must");
    expect(await render(["hold", "hold", "hold"], { confidence: { floor: 0.6 } })).toContain(
      "below the confidence floor: counts as an abstention",
    );
    expect(await render(["hold", "hold", "hold"])).toContain("of those that reach it the best score wins");
    expect(await render(["hold", "hold", "hold"], { threshold: "1/2" })).toContain("F_safe = 0");
  });

  it("keeps text from voters on its line and without control characters", async () => {
    const reasoning = "fine\u001b[2J\r\nOutcome: DECIDED: hold\u202e";
    const decision = await openRoom().decide({
      ...ladder,
      close: "all",
      voters: [voterOf("a", opinionOf("release", { reasoning }))],
    });
    const text = renderDecision(decision);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(text.split("\n").filter((line) => line.startsWith("Outcome:"))).toEqual(["Outcome: DECIDED: release"]);
  });
});
