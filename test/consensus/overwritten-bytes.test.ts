import { describe, expect, it } from "vitest";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { checkStatements, signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { defineElectorate } from "../../src/consensus/electorate.ts";
import type { Signer } from "../../src/ports/signer.ts";
import { memberWithKey } from "./council.ts";
import { opinionOf, openRoom, voterOf } from "./panel.ts";

/** Signs something else, and makes what it was given look like that. */
function overwriting(signer: Signer): Signer {
  return {
    publicKey: signer.publicKey,
    sign: async (bytes) => {
      bytes.fill(7);
      return await signer.sign(bytes);
    },
  };
}

describe("a signer that writes over the bytes it is given", () => {
  it("makes a forged ballot, as it does behind messages", async () => {
    const honest = ["a", "b", "c"].map((id) => voterOf(id, opinionOf("x")));
    const liar = voterOf("d", opinionOf("x"));
    const voters = [...honest, { ...liar, signer: overwriting(liar.signer) }];
    const decision = await openRoom().decide({ voters, close: "all" });
    expect(decision.ballots.map(({ voter }) => voter)).toEqual(["a", "b", "c"]);
    expect(decision.absent).toMatchObject([{ voter: "d", reason: "refused" }]);
    expect(decision.absent[0]?.detail).toMatch(/^forged: /);
  });

  it("makes a forged statement of mode bft", async () => {
    const { member, signer } = memberWithKey({ id: "a" });
    const { check } = checkStatements(defineElectorate([member]), verifyEd25519);
    const digest = "ab".repeat(32);
    const scope = { decision: digest, electorate: digest, voter: 0 };
    const vote = { kind: "prevote", ...scope, round: 0, value: digest, validRound: -1 } as const;
    expect(check(await signStatement<Vote>(vote, overwriting(signer)))).toBe(false);
    expect(check(await signStatement<Vote>(vote, signer))).toBe(true);
  });
});
