import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createMember, defineElectorate, signBallot, signProposal } from "troupe";
import { troupe } from "./command-line.ts";
import { asksByDefault, decide, decideApart, file, folder } from "./decide-command.ts";

afterAll(() => folder.remove());

const members = ["ann", "bob", "cy", "dee"].map((id, index) => createMember({ id, weight: index === 0 ? 2 : 1 }));
const electorate = defineElectorate(members.map(({ member }) => member));
const chair = createMember({ id: "chair" });
const proposal = await signProposal(
  { question: "Which rollout?", options: ["canary", "big-bang"], electorate, closesAt: 2_000_000_000_000 },
  chair.signer,
);

function ballotOf(voter: string, choice: string | null): ReturnType<typeof signBallot> {
  const signer = members.find(({ member }) => member.id === voter)?.signer;
  if (signer === undefined) throw new Error(`no member ${voter}`);
  return signBallot({ proposal, voter, choice, confidence: choice === null ? null : 0.9, reasoning: "…" }, signer);
}

const signed = await Promise.all([
  ballotOf("ann", "canary"),
  ballotOf("bob", "canary"),
  ballotOf("cy", "canary"),
  ballotOf("dee", "big-bang"),
]);

describe("troupe decide with plain ballots", () => {
  test("counts one vote per voter and says that nothing is proven", async () => {
    const ballots = [
      { voter: "ann", choice: "canary", confidence: 0.9, reasoning: "small steps" },
      { voter: "bob", choice: "canary" },
      { voter: "cy", choice: "canary" },
      { voter: "dee", choice: null },
    ];
    const { code, result } = await decideApart({ ballots });
    expect(code).toBe(0);
    expect(result).toMatchObject({
      status: "decided",
      option: "canary",
      certificate: null,
      warnings: ["unsigned"],
      rejected: [],
      assumptions: { W: 4, q: 3 },
    });
  });

  test("exits 1 with the reason where nothing is decided", async () => {
    const ballots = ["ann", "bob", "cy"].map((voter, index) => ({
      voter,
      choice: index === 0 ? "canary" : "big-bang",
    }));
    const { code, result } = await decide({ ballots });
    expect({ code, status: result.status, option: result.option }).toEqual({
      code: 1,
      status: "no-majority",
      option: null,
    });
  });

  test("takes weights from an electorate, and the rules from a policy file", async () => {
    const ballots = [
      { voter: "ann", choice: ["big-bang", "canary"] },
      { voter: "bob", choice: ["canary"] },
    ];
    const electorateFile = { members: [{ id: "ann", weight: 5 }, { id: "bob" }, { id: "cy" }] };
    const policy = file({ method: "approval", prefer: "bold", threshold: ">1/2" });
    const { code, result } = await decide({ electorate: electorateFile, ballots }, [
      "--question",
      "?",
      "--options",
      "big-bang,canary",
      "--policy",
      policy,
    ]);
    expect({ code, option: result.option }).toEqual({ code: 0, option: "big-bang" });
    expect(result).toMatchObject({ assumptions: { W: 7, q: 4 }, absent: [{ voter: "cy" }] });
  });

  test.each([
    ["ranked", [{ ranked: [["a"], ["b"], ["c"]] }, { ranked: [["b"], ["c"], ["a"]] }, { ranked: [["b", "a"]] }], "b"],
    ["grades", [{ grades: { a: 90, b: 60 } }, { grades: { a: 10, b: 55 } }, { grades: { b: 100, c: 100 } }], "b"],
  ])("reads the method %s off the ballots", async (method, choices, option) => {
    const ballots = choices.map((choice, index) => ({ voter: `v${index}`, choice }));
    const { result } = await decide({ ballots }, ["--question", "?", "--options", "a,b,c"]);
    expect(result).toMatchObject({ status: "decided", option, proposal: { body: { method } } });
  });

  test("rejects what is malformed, unknown, weighted or double, and counts the rest", async () => {
    const ballots = [
      { voter: "ann", choice: "canary" },
      { voter: "bob", choice: "nowhere" },
      { voter: "cy", choice: "canary", weight: 9 },
      { voter: "stranger", choice: "canary" },
      { voter: "dee", choice: "canary" },
      { voter: "dee", choice: "canary" },
      { voter: "dee", choice: "big-bang" },
      { voter: "bob", choice: "canary", confidence: 7 },
      "hello",
    ];
    const listed = { members: ["ann", "bob", "cy", "dee"].map((id) => ({ id })) };
    const { code, result } = await decide({ electorate: listed, ballots });
    expect(code).toBe(1);
    expect(result.rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [1, "malformed"],
      [2, "weightClaim"],
      [3, "unknownVoter"],
      [5, "duplicate"],
      [6, "equivocation"],
      [7, "malformed"],
      [8, "malformed"],
    ]);
    expect(result).toMatchObject({ status: "no-quorum", evidence: [], tally: { voided: 1, participating: 1 } });
  });

  test("breaks a tie the same way each time the same file is counted", async () => {
    const ballots = ["a", "b"].map((choice, index) => ({ voter: `v${index}`, choice }));
    const more = ["--question", "?", "--options", "a,b", "--policy", file({ threshold: "1/2" })];
    const [first, second] = await Promise.all([decide({ ballots }, more), decide({ ballots }, more)]);
    expect(first.result.option).not.toBeNull();
    expect(second.result.option).toBe(first.result.option);
  });

  test("lists as dissent whoever voted otherwise, and nobody else", async () => {
    const votes = ["canary", "canary", "canary", "canary", "canary", "big-bang", null];
    const ballots = votes.map((choice, index) => ({ voter: `v${index}`, choice, reasoning: "so" }));
    const { result } = await decide({ ballots });
    expect(result.option).toBe("canary");
    expect(result.dissent).toMatchObject([{ voter: "v5", kind: "against" }]);
    const recommendations = result.ballots.map(({ recommendation }) => recommendation);
    expect(recommendations).toEqual([null, null, null, null, null, null, "abstain"]);
  });

  test("prints a page for people", async () => {
    const ballots = file({ ballots: [{ voter: "ann", choice: "canary", reasoning: "small \u001b[31msteps" }] });
    const { stdout } = await troupe(
      ["decide", "--question", "Which?", "--options", "canary,big-bang", "--ballots", ballots],
      folder.path,
    );
    expect(stdout).toContain("Outcome: DECIDED: canary");
    expect(stdout).toContain("The ballots are not signed");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("troupe decide with signed ballots", () => {
  test("gives a certificate that troupe verify accepts in another process, and no changed one", async () => {
    const { code, result } = await decideApart({ electorate, proposal, ballots: signed }, ["--out", "decision"]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ status: "decided", option: "canary", rejected: [], evidence: [] });
    const verify = (certificate: string): ReturnType<typeof troupe> =>
      troupe(["verify", certificate, "--electorate", "decision/electorate.json", "--json"], folder.path);
    const checked = await verify("decision/certificate.json");
    expect({ code: checked.code, verdict: JSON.parse(checked.stdout) as unknown }).toEqual({
      code: 0,
      verdict: { ok: true, option: "canary", weight: 4, members: ["ann", "bob", "cy"] },
    });
    // What --json prints is canonical too: it can be saved as it is.
    const written = readFileSync(join(folder.path, "decision/certificate.json"), "utf8");
    expect(`${JSON.stringify(result.certificate)}\n`).toBe(written);
    for (const at of [100, 2_000]) {
      const bytes = Buffer.from(written);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(join(folder.path, "decision/changed.json"), bytes);
      const refused = await verify("decision/changed.json");
      expect({ at, code: refused.code, ok: (JSON.parse(refused.stdout) as { ok: boolean }).ok }).toEqual({
        at,
        code: 1,
        ok: false,
      });
    }
  });

  test("rejects forged, foreign and tampered ballots by name, and counts the others", async () => {
    const [ann, bob, cy, dee] = signed;
    if (ann === undefined || bob === undefined || cy === undefined || dee === undefined) throw new Error("four signed");
    const tampered = { ...dee, body: { ...dee.body, choice: { kind: "single", option: "canary" } } };
    const stale = { ...dee, body: { ...dee.body, round: 2 } };
    const stranger = { ...dee, body: { ...dee.body, voter: "eve" } };
    const ballots = [
      ann,
      tampered,
      bob,
      stale,
      stranger,
      { ...dee, body: { ...dee.body, weight: 9 } },
      { body: 1 },
      cy,
    ];
    const { code, result } = await decide({ electorate, proposal, ballots }, []);
    expect(code).toBe(0);
    expect(result.rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [1, "forged"],
      [3, "stale"],
      [4, "unknownVoter"],
      [5, "weightClaim"],
      [6, "malformed"],
    ]);
  });

  test("voids a double voter and keeps the evidence", async () => {
    const ballots = [...signed, await ballotOf("dee", "canary")];
    const { result } = await decide({ electorate, proposal, ballots }, []);
    expect(result.rejected).toMatchObject([{ index: 4, reason: "equivocation" }]);
    expect(result).toMatchObject({ status: "decided", tally: { voided: 1 }, evidence: [{ voter: "dee" }] });
  });

  test("has no certificate where the proposal asks for a closing that a file cannot hold", async () => {
    const closed = await signProposal(
      { question: "?", options: ["a", "b"], electorate, closesAt: 1, closing: "coordinator" },
      chair.signer,
    );
    const ballots = await Promise.all(
      members.map(({ member, signer }) => signBallot({ proposal: closed, voter: member.id, choice: "a" }, signer)),
    );
    const { code, result } = await decide({ electorate, proposal: closed, ballots }, []);
    expect({ code, certificate: result.certificate, warnings: result.warnings }).toMatchObject({
      code: 0,
      certificate: null,
      warnings: ["vetoer", "unclosed"],
    });
  });
});

describe("troupe decide with input that it refuses", () => {
  const plain = { ballots: [{ voter: "ann", choice: "a" }] };
  const asked = ["--question", "?", "--options", "a,b"];
  const body = { ...proposal.body, question: "Another?" };
  test.each<[string, unknown, readonly string[], string]>([
    [
      "a mix",
      { electorate, proposal, ballots: [signed[0], { voter: "bob", choice: "a" }] },
      asked,
      "ballots.1 is plain",
    ],
    ["text that is not JSON", "{", asked, "it is not JSON"],
    ["no ballots", { ballots: [] }, asked, "there is no ballot"],
    ["an unknown field", { ...plain, weights: {} }, asked, "weights"],
    ["signed ballots alone", { ballots: signed }, asked, "electorate is missing"],
    [
      "a tampered proposal",
      { electorate, proposal: { ...proposal, body }, ballots: signed },
      [],
      "signature does not hold",
    ],
    [
      "another electorate",
      { electorate: { ...electorate, epoch: 7 }, proposal, ballots: signed },
      [],
      "electorateDigest",
    ],
    [
      "another question",
      { electorate, proposal, ballots: signed },
      ["--question", "Which?"],
      "the signed proposal says",
    ],
    ["no question", plain, ["--options", "a,b"], "--question is missing"],
    ["no options", plain, ["--question", "?"], "--options is missing"],
    ["an option twice", plain, ["--question", "?", "--options", "a,a"], "listed twice"],
    [
      "mode bft of signed ballots",
      { electorate, proposal, ballots: signed },
      ["--mode", "bft"],
      "it takes plain ballots",
    ],
    ["an unknown mode", plain, [...asked, "--mode", "coin"], "--mode coin"],
    ["a policy with an unknown field", plain, [...asked, "--policy", file({ treshold: 1 })], "treshold"],
    ["a policy that cannot be", plain, [...asked, "--policy", file({ threshold: "4/3" })], "more than everything"],
    ["a policy of the wrong form", plain, [...asked, "--policy", file({ minBallots: "two" })], "minBallots"],
    ["a missing policy", plain, [...asked, "--policy", "none.json"], "none.json"],
  ])("%s is a usage error that says so", async (_what, ballots, more, words) => {
    const { code, result } = await decide(ballots, more);
    expect(code).toBe(2);
    expect(result.failure?.message).toContain(words);
  });

  test("exits 2 with one document, in a process of its own", async () => {
    const { code, result } = await decideApart({ electorate, proposal, ballots: [signed[0], plain.ballots[0]] });
    expect({ code, failure: result.failure?.code }).toEqual({ code: 2, failure: "usage/bad-file" });
  });
});

describe("troupe decide --mode bft", () => {
  const panel = ["ann", "bob", "cy", "dee"].map((voter) => ({
    voter,
    choice: voter === "dee" ? "big-bang" : "canary",
  }));

  test("agrees with keys made here, and writes a certificate that troupe verify accepts", async () => {
    const { code, result } = await decideApart({ ballots: panel }, [
      ...asksByDefault,
      "--mode",
      "bft",
      "--out",
      "agreed",
    ]);
    expect({ code, status: result.status, option: result.option }).toEqual({
      code: 0,
      status: "decided",
      option: "canary",
    });
    const files = ["agreed/certificate.json", "--electorate", "agreed/electorate.json"];
    const check = await troupe(["verify", ...files, "--json"], folder.path);
    expect(JSON.parse(check.stdout)).toMatchObject({ ok: true, option: "canary", members: ["ann", "bob", "cy"] });
  });

  test("counts every ballot of the file, each time", async () => {
    const ballots = ["canary", "canary", "canary", "big-bang"].map((choice, index) => ({ voter: `v${index}`, choice }));
    for (let time = 0; time < 5; time += 1) {
      const { result } = await decide({ ballots }, [...asksByDefault, "--mode", "bft"]);
      expect(result).toMatchObject({ status: "decided", option: "canary", tally: { participating: 4 }, absent: [] });
      expect(result.dissent).toMatchObject([{ voter: "v3", kind: "against" }]);
    }
  });

  test("counts a voter with two ballots for nothing, and lists what it could not use", async () => {
    const ballots = [
      ...panel,
      { voter: "eve", choice: "canary" },
      { voter: "eve", choice: "big-bang" },
      { voter: "x", choice: 3 },
    ];
    const electorateOf = { members: ["ann", "bob", "cy", "dee", "eve"].map((id) => ({ id })) };
    const more = [...asksByDefault, "--mode", "bft", "--policy", file({ threshold: ">1/2", close: "all" })];
    const { result } = await decide({ electorate: electorateOf, ballots }, more);
    expect(result).toMatchObject({
      status: "decided",
      option: "canary",
      evidence: [{ kind: "DuplicateBallot", voter: "eve" }],
      rejected: [
        { index: 5, reason: "equivocation" },
        { index: 6, reason: "malformed" },
      ],
    });
  });

  test("refuses three voters, of whom each would have a veto", async () => {
    const { code, result } = await decide({ ballots: panel.slice(0, 3) }, [...asksByDefault, "--mode", "bft"]);
    expect(code).toBe(2);
    expect(result.failure?.message).toContain("could stop every agreement alone");
  });
});
