import { createTroupe, decisionQuestion, defineAgent, opinion, opinionCapability, verifyCertificate } from "troupe";

// Each reviewer judges the same question from its own side, and votes with its own key.
const reviewer = (name: string, likes: string, confidence: number) =>
  defineAgent({
    name,
    capabilities: {
      [opinionCapability]: {
        input: decisionQuestion,
        output: opinion,
        run: ({ input }) => ({
          recommendation: likes,
          confidence,
          reasoning: `${name} looked at ${input.options.length} options`,
        }),
      },
    },
  });

await using troupe = await createTroupe();
const voters = [];
for (const each of [
  reviewer("ops", "canary", 0.9),
  reviewer("security", "canary", 0.8),
  reviewer("ux", "canary", 0.7),
  reviewer("sales", "big-bang", 0.95),
]) {
  voters.push(...(await troupe.spawn(each)));
}

const decision = await troupe.decide({
  question: "Which rollout?",
  options: ["big-bang", "canary"],
  voters,
  method: "single",
});
console.log(decision.status, decision.option, `agreement ${decision.agreement}`);
console.log(
  `quorum ${decision.assumptions.q} of ${decision.assumptions.W}, dissent: ${decision.dissent.map((each) => each.voter).join(", ")}`,
);
console.log(verifyCertificate(decision.certificate, decision.electorate));
