import {
  analyzeElectorate,
  createTroupe,
  decisionQuestion,
  defineAgent,
  makeEquivocate,
  opinion,
  opinionCapability,
  verifyEvidence,
} from "troupe";

const reviewer = (name: string, likes: string) =>
  defineAgent({
    name,
    capabilities: {
      [opinionCapability]: {
        input: decisionQuestion,
        output: opinion,
        run: () => ({ recommendation: likes, confidence: 0.8 }),
      },
    },
  });

await using troupe = await createTroupe();
const [lead] = await troupe.spawn(reviewer("lead", "fix"), { weight: 3 });
const [security] = await troupe.spawn(reviewer("security", "fix"), { weight: 2 });
const [ops] = await troupe.spawn(reviewer("ops", "fix"), { weight: 2 });
const [sales] = await troupe.spawn(reviewer("sales", "ship"), { weight: 1 });
const [rogue] = await troupe.spawn(reviewer("rogue", "fix"), { weight: 2 });
if (!lead || !security || !ops || !sales || !rogue) throw new Error("five were spawned");

// Who is too strong here? The lead holds 3 of 10, no more than the others can do without.
const weights = [lead, security, ops, sales, rogue].map(({ path, weight }) => ({ id: path, weight }));
const { W, q, fSafe, fLive, vetoers } = analyzeElectorate(weights);
console.log(`W ${W}, quorum ${q}, F_safe ${fSafe}, F_live ${fLive}, vetoers: ${vetoers.length}`);

// The rogue signs two ballots that contradict each other. Both are kept as evidence, and neither counts.
const decision = await troupe.decide({
  question: "Ship on Friday?",
  options: ["ship", "fix"],
  voters: [lead, security, ops, sales, makeEquivocate(troupe.voter(rogue))],
  close: "all",
});
console.log(decision.status, decision.option, `support ${decision.tally.options[1]?.support} of ${W}`);
console.log(`void ${decision.tally.voided}, margin ${decision.marginOfVictory}`);
for (const proof of decision.evidence) console.log(verifyEvidence(proof, decision.electorate));
