import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  createMember,
  createTroupe,
  verifyCertificate,
  voterAt,
  type Member,
  type Participant,
  type Troupe,
} from "troupe";
import { describe, expect, test } from "vitest";
import { endAll } from "./yard.ts";

interface Effect {
  readonly node: string;
  readonly what: "asked" | "vote";
  readonly kind?: string;
  readonly round?: number;
  readonly value?: string | null;
}

type Fall = "never" | "prevote" | "precommit";

/** Real processes, each with a voter, its key and its store file. */
class Houses implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "troupe-council-"));
  readonly #children: ChildProcess[] = [];

  /** Starts a node; `over` when it has ended. */
  async start(name: string, fall: Fall = "never", port = 0) {
    const file = join(import.meta.dirname, "../fixtures/remote/council-node.ts");
    const argv = ["--conditions=troupe-source", "--no-warnings", file, name, this.#folder, String(port), fall];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    const over = once(child, "exit");
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
      return { ...(JSON.parse(line) as { url: string; member: Member }), over };
    throw new Error(`${name} said nothing`);
  }

  async seat(chair: Troupe, { url, member }: { readonly url: string; readonly member: Member }): Promise<Participant> {
    return voterAt((await chair.connect(url)).ref("/voter/1"), member);
  }

  effects(node: string): readonly Effect[] {
    const lines = readFileSync(join(this.#folder, "effects"), "utf8").split("\n");
    const all = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Effect);
    return all.filter((effect) => effect.node === node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#children);
    rmSync(this.#folder, { recursive: true });
  }
}

const links = { heartbeatMs: 150, sessionMs: 1_000 };
const question = { mode: "bft", question: "Ship it?", options: ["yes", "no"], close: "all" } as const;

/** The same voter; its votes are carried only from then on. */
function heldUntil(then: Promise<unknown>, voter: Participant): Participant {
  const { member, replica } = voter;
  if (replica === undefined) throw new Error("it has a replica");
  const listen: NonNullable<Participant["replica"]>["listen"] = async (...given) => {
    const outcome = await replica.listen(...given);
    if (JSON.stringify(outcome).includes('"type":"vote"')) await then;
    return outcome;
  };
  return { member, vote: (...given) => voter.vote(...given), replica: { ...replica, listen } };
}

/** Contents that a node signed per place in the protocol; an honest one signs one. */
function contentsPerPlace(effects: readonly Effect[]): number[] {
  const places = new Map<string, Set<unknown>>();
  for (const { what, kind, round, value } of effects) {
    if (what !== "vote") continue;
    places.set(`${kind}/${round}`, (places.get(`${kind}/${round}`) ?? new Set()).add(value));
  }
  return [...places.values()].map(({ size }) => size);
}

describe("a council of four processes, each with its key, its replica and its store", () => {
  test.each(["prevote", "precommit"] as const)(
    "decides when one is killed (kill -9) at its first %s, and the certificate holds",
    async (fall) => {
      await using houses = new Houses();
      await using chair = await createTroupe({ node: "chair", links });
      const nodes = await Promise.all(
        ["ann", "bob", "cy", "dee"].map((name) => houses.start(name, name === "dee" ? fall : "never")),
      );
      const [ann, bob, cy, dee] = await Promise.all(nodes.map((node) => houses.seat(chair, node)));
      const over = nodes[3]?.over;
      if (ann === undefined || bob === undefined || cy === undefined || dee === undefined || over === undefined)
        throw new Error("they were started");
      // Without the third nothing is decided before the last has fallen.
      const decision = await chair.decide({ ...question, voters: [ann, bob, heldUntil(over, cy), dee] });
      expect(await over).toEqual([null, "SIGKILL"]);
      expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [] });
      const verdict = verifyCertificate(decision.certificate, decision.electorate);
      expect(verdict).toMatchObject({ ok: true, option: "yes", members: expect.arrayContaining(["ann", "bob", "cy"]) });
    },
  );

  test("waits for one that it cannot do without, and that goes on with its store: it signs nothing twice", async () => {
    await using houses = new Houses();
    await using chair = await createTroupe({ node: "chair", links });
    const nodes = await Promise.all(
      ["ann", "bob", "cy"].map((name) => houses.start(name, name === "cy" ? "precommit" : "never")),
    );
    const cy = nodes[2];
    if (cy === undefined) throw new Error("it was started");
    // The fourth is nowhere: three of four are just enough.
    const { member } = createMember({ id: "dee" });
    const gone = {
      ok: false,
      failure: { code: "remote/forbidden", message: "no", retry: "never", data: {} },
    } as const;
    const nowhere: Participant = {
      member,
      vote: async () => gone,
      replica: { join: async () => gone, listen: async () => gone, say: () => undefined, leave: () => undefined },
    };
    const voters = await Promise.all(nodes.map((node) => houses.seat(chair, node)));
    const deciding = chair.decide({ ...question, voters: [...voters, nowhere], timeoutMs: 60_000 });
    expect(await cy.over).toEqual([null, "SIGKILL"]);
    const before = houses.effects("cy").filter(({ what }) => what === "vote");
    expect(before.at(-1)).toMatchObject({ kind: "precommit" });
    const again = await houses.start("cy", "never", Number(new URL(cy.url).port));
    expect(again.member).toEqual(cy.member);
    const decision = await deciding;
    expect(decision).toMatchObject({ status: "decided", option: "yes", evidence: [] });
    const verdict = verifyCertificate(decision.certificate, decision.electorate);
    expect(verdict).toMatchObject({ ok: true, option: "yes", members: ["ann", "bob", "cy"] });
    const effects = houses.effects("cy");
    expect(effects.filter(({ what }) => what === "asked")).toHaveLength(1);
    expect(effects.length).toBeGreaterThan(before.length + 1);
    expect(contentsPerPlace(effects).every((size) => size === 1)).toBe(true);
  });
});
