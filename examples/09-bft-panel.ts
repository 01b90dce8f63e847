import {
  createTroupe,
  decisionQuestion,
  defineAgent,
  makeEquivocate,
  opinion,
  opinionCapability,
  verifyCertificate,
  verifyEvidence,
} from "troupe";

const panelist = (name: string, likes: string) =>
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
const names = ["security", "performance", "support", "billing", "legal"];
const panel = (await Promise.all(names.map((name) => troupe.spawn(panelist(name, "migrate"))))).flat();
const [rogue] = await troupe.spawn(panelist("rogue", "wait"));
if (!rogue) throw new Error("one was spawned");

// Nobody collects the ballots: every voter has a replica, and they agree among themselves on which ballots count. The
// rogue signs two ballots, and lies in the agreement too: with each vote for a value it signs one for none.
const decision = await troupe.decide({
  mode: "bft",
  question: "Migrate the billing database tonight?",
  options: ["migrate", "wait"],
  voters: [...panel, makeEquivocate(troupe.voter(rogue))],
  close: "all",
});
console.log(decision.status, decision.option, `by ${decision.tally.options[0]?.support} of ${decision.assumptions.W}`);

const check = verifyCertificate(decision.certificate, decision.electorate);
console.log("the certificate holds:", check.ok, check.ok ? check.agreed?.status : check.reason);
const convicted = decision.evidence.flatMap((proof) => {
  if (!verifyEvidence(proof, decision.electorate).ok) return [];
  return proof.kind === "DuplicateBallot" ? [proof.voter] : proof.culprits;
});
console.log("convicted:", [...new Set(convicted)]);
