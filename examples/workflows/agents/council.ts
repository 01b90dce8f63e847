import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decisionQuestion, defineAgent, opinion, opinionCapability, type Troupe } from "troupe";
import { z } from "zod";
import { listFiles } from "./files.ts";

const fact = z.object({ topic: z.string(), score: z.number().min(0).max(1), evidence: z.string() });
type Fact = z.infer<typeof fact>;

/** How each researcher looks at a folder: what share of it speaks for the topic, and the evidence. */
const researches: { readonly [topic: string]: (paths: readonly string[], folder: string) => Promise<Fact> } = {
  async tests(paths) {
    const sources = paths.filter((path) => /\.m?[jt]s$/.test(path));
    const tests = sources.filter((path) => /(^|\/)tests?\/|\.test\./.test(path));
    const score = Math.min(1, (tests.length * 2) / Math.max(1, sources.length));
    return { topic: "tests", score, evidence: `${tests.length} of ${sources.length} source files are tests` };
  },
  async documents(paths) {
    const documents = paths.filter((path) => path.endsWith(".md"));
    return { topic: "documents", score: Math.min(1, documents.length / 3), evidence: `${documents.length} documents` };
  },
  async manifest(paths, folder) {
    if (!paths.includes("package.json")) return { topic: "manifest", score: 0, evidence: "no package.json" };
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
    const wanted = ["name", "version", "license", "description"];
    const there = wanted.filter((field) => field in manifest);
    return { topic: "manifest", score: there.length / wanted.length, evidence: `package.json has ${there.join(", ")}` };
  },
  async licence(paths) {
    const found = paths.filter((path) => /^(LICEN[CS]E|COPYING)(\.\w+)?$/.test(path));
    return { topic: "licence", score: found.length > 0 ? 1 : 0, evidence: found[0] ?? "no licence file" };
  },
};

export const researcher = defineAgent({
  name: "researcher",
  concurrency: 4,
  capabilities: {
    "research.folder": {
      idempotent: true,
      input: z.object({ folder: z.string(), topic: z.string() }),
      output: fact,
      async run({ input: { folder, topic }, fail }) {
        const look = researches[topic];
        if (look === undefined)
          return fail("research/unknown", `${topic} is none of ${Object.keys(researches).join(", ")}`);
        return look(await listFiles(folder).catch((error: Error) => fail("files/unreadable", error.message)), folder);
      },
    },
  },
});

/** A member of the council votes by the facts of its own topic, as sure as the facts are clear. */
function memberFor(topic: string) {
  return defineAgent({
    name: `member-${topic}`,
    capabilities: {
      [opinionCapability]: {
        input: decisionQuestion,
        output: opinion,
        run({ input }) {
          const facts = z.object({ facts: z.array(fact) }).parse(input.context).facts;
          const own = facts.find((each) => each.topic === topic);
          const score = own?.score ?? 0;
          const [adopt = "", wait = ""] = input.options.map(({ id }) => id);
          return {
            recommendation: score >= 0.5 ? adopt : wait,
            confidence: Math.abs(score - 0.5) * 2,
            reasoning: own?.evidence ?? "nothing was found",
          };
        },
      },
    },
  });
}

/** Puts a question to one voter for each topic; the vote is signed, weighed and certified. */
export const councilOf = (troupe: Troupe) =>
  defineAgent({
    name: "council",
    capabilities: {
      "council.decide": {
        input: z.object({ question: z.string(), facts: z.array(fact).min(1) }),
        output: z.object({
          status: z.string(),
          option: z.string(),
          agreement: z.number(),
          dissent: z.array(z.string()),
        }),
        async run({ input: { question, facts }, fail }) {
          const voters = [];
          for (const { topic } of facts) voters.push(...(await troupe.spawn(memberFor(topic))));
          try {
            const decision = await troupe.decide({
              question,
              options: ["adopt", "wait"],
              voters,
              context: { facts },
              method: "single",
            });
            const { status, option, agreement, dissent } = decision;
            if (option === null) return fail("council/undecided", `the council is ${status}`);
            return { status, option, agreement, dissent: dissent.map(({ voter }) => voter) };
          } finally {
            await Promise.all(voters.map((voter) => voter.stop()));
          }
        },
      },
    },
  });
