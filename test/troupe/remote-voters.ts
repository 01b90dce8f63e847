import { once } from "node:events";
import { createMember, createTroupe, voterAgent, type Member, type Voter } from "troupe";

/** A process with voters of its own: `node remote-voters.ts cy:yes dee:no`. It tells their members and its address. */

/** Where the voters are. */
export interface Told {
  readonly url: string;
  readonly seats: readonly { readonly member: Member; readonly path: string }[];
}

function voterOf(id: string, recommendation: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation, confidence: 0.8, reasoning: `${id} says ${recommendation}.` };
  return { member, signer, opine: async () => ({ ok: true, value }) };
}

const voters = process.argv.slice(2).map((each) => {
  const [id = "", recommendation = ""] = each.split(":");
  return voterOf(id, recommendation);
});
await using troupe = await createTroupe({ node: "elsewhere" });
const paths: string[] = [];
for (const voter of voters)
  paths.push(...(await troupe.spawn(voterAgent(voter, { name: voter.member.id }))).map(({ path }) => path));
const { url } = await troupe.listen({ port: 0 });
const told: Told = { url, seats: voters.map(({ member }, index) => ({ member, path: paths[index] ?? "" })) };
process.send?.(told);
await once(process, "disconnect");
