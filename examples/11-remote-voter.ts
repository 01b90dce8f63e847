import { fork } from "node:child_process";
import { once } from "node:events";
import { createMember, createTroupe, verifyCertificate, voterAgent, voterAt } from "troupe";
import type { Member, Voter } from "troupe";

function voterOf(id: string, recommendation: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation, confidence: 0.8, reasoning: "I looked at it.", concerns: [], alternatives: [] };
  return { member, signer, opine: async () => ({ ok: true, value }) };
}

/** The other process: its voter's private key is made here and stays here; only the member, with the public key, is told. */
async function vote(): Promise<void> {
  const voter = voterOf("cy", "yes");
  await using troupe = await createTroupe({ node: "cy" });
  await troupe.spawn(voterAgent(voter));
  const { url } = await troupe.listen({ port: 0 });
  process.send?.({ member: voter.member, url });
  await once(process, "disconnect");
}

async function decide(): Promise<void> {
  const other = fork(import.meta.filename);
  const [{ member, url }] = (await once(other, "message")) as [{ member: Member; url: string }];
  await using troupe = await createTroupe({ node: "chair" });
  const peer = await troupe.connect(url);
  const voters = [
    voterOf("ann", "yes"),
    voterOf("bob", "yes"),
    voterOf("dee", "no"),
    voterAt(peer.ref("/voter/1"), member),
  ];
  const decision = await troupe.decide({ question: "Ship it?", options: ["yes", "no"], voters, close: "all" });
  console.log(decision.status, decision.option, "dissent:", decision.dissent.map(({ voter }) => voter).join(", "));
  // The quorum is 3 of 4: without the ballot of the other process there would be none.
  if (decision.certificate !== null) console.log(verifyCertificate(decision.certificate, decision.electorate));
  other.disconnect();
  await once(other, "exit");
}

await (process.send === undefined ? decide() : vote());
