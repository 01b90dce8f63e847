import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decisionQuestion, opinion, opinionCapability } from "troupe";
import { experts, performanceExpert, securityExpert, userExperienceExpert } from "troupe/agents";
import { describe, expect, it } from "vitest";
import { hear, makeProject, manyLines } from "./scene.ts";

const names = [
  "security-expert",
  "performance-expert",
  "maintainability-expert",
  "business-expert",
  "user-experience-expert",
];
// Put together here, so that no scanner takes this file for a leak.
const mark = "p_";
const token = `gh${mark}${["a8Zk2LmQ", "pR4tVx6Y", "b0Nc1Wd3", "Ef5Gh7Ij", "9Kl2"].join("")}`;
const code = (count: number): string =>
  manyLines(count, (index) => `export const step${index} = (value) => value + ${index} * other${index};`);

const wellKept = {
  "package.json": JSON.stringify(
    {
      name: "thing",
      version: "1.0.0",
      description: "Adds.",
      license: "MIT",
      author: "A",
      type: "module",
      repository: { type: "git", url: "git+https://github.com/a/thing.git" },
      exports: { types: "./src/index.d.ts", default: "./src/index.js" },
    },
    null,
    2,
  ),
  "README.md": `# thing\n\n${"Adds numbers with care. ".repeat(20)}\n\n## Install\n\n\`\`\`sh\nnpm install thing\n\`\`\`\n\n## Use\n\n\`\`\`js\nimport { add } from "thing";\n\`\`\`\n`,
  LICENSE: "MIT License\n\nPermission is hereby granted, free of charge, to any person\n",
  "CHANGELOG.md": "# 1.0.0\n",
  "src/index.js": "export function add(a, b) {\n  return a + b;\n}\n",
  "src/index.d.ts": "export function add(a: number, b: number): number;\n",
  "test/index.test.js":
    'import { add } from "../src/index.js";\nif (add(1, 2) !== 3) throw new Error("add is wrong");\n',
};
const careless = {
  "src/main.js": `const key = "${token}";\n${code(2_500)}`,
  "src/run.js": 'import { exec } from "node:child_process";\nexport const run = (name) => exec(`tar ${name}`);\n',
};
const unfinished = {
  ...wellKept,
  "README.md": "# thing\n",
  "src/run.js": careless["src/run.js"],
  "src/slow.js":
    "export const p = /^(\\w+\\s?)+$/;\nexport const all = (list) => list.reduce((sum, one) => [...sum, one], []);\nexport const q = /(a+)+$/;\n",
};

/** Decides as the council does: of the options that reach two thirds of the votes, the boldest. */
async function council(
  folder: string,
): Promise<{ decision: string | undefined; opinions: Awaited<ReturnType<typeof hear>>["opinion"][] }> {
  const heard = await Promise.all(
    experts.map(async (expert) => await hear(expert, { decisionId: `council-${folder}`, context: { folder } })),
  );
  const opinions = heard.map(({ opinion: said }) => said);
  const decision = ["release", "fix-first", "hold"].find(
    (id) => opinions.filter((said) => said?.approves?.includes(id) === true).length * 3 >= experts.length * 2,
  );
  return { decision, opinions };
}

describe("the five experts", () => {
  it("offer opinions under their names, in their order, safe to run twice", () => {
    expect(experts.map(({ name }) => name)).toEqual(names);
    for (const expert of experts)
      expect(expert.capabilities[opinionCapability]).toMatchObject({
        idempotent: true,
        input: decisionQuestion,
        output: opinion,
      });
  });

  it("all abstain from an empty folder, with the reason", async () => {
    const { opinions } = await council(makeProject({}));
    expect(opinions).toHaveLength(5);
    for (const said of opinions)
      expect(said).toMatchObject({
        recommendation: "abstain",
        confidence: null,
        reasoning: "The folder holds no file to examine.",
        concerns: [],
      });
  });

  it("abstain one by one from what they cannot measure", async () => {
    const { opinions } = await council(makeProject({ "photo.png": "x", "notes.txt": "milk and bread\n" }));
    expect(opinions.map((said) => said?.recommendation)).toEqual([
      "release",
      "abstain",
      "abstain",
      "abstain",
      "abstain",
    ]);
    expect(opinions[1]?.reasoning).toContain("no JavaScript or TypeScript source");
    expect(opinions[3]?.reasoning).toContain("neither code nor a package");
  });

  it("fail as data for a missing path and for a file", async () => {
    const folder = makeProject({ "a.txt": "x" });
    for (const expert of experts) {
      expect((await hear(expert, { context: { folder: join(folder, "gone") } })).failure).toMatchObject({
        code: "project/not-a-folder",
        data: { reason: "missing" },
      });
      expect((await hear(expert, { context: { folder: join(folder, "a.txt") } })).failure).toMatchObject({
        code: "project/not-a-folder",
        data: { reason: "not-a-folder" },
      });
    }
  });

  it("come to different decisions about different projects, for the reasons they give", async () => {
    const kept = await council(makeProject(wellKept));
    const half = await council(makeProject(unfinished));
    const loose = await council(makeProject(careless));
    expect([kept.decision, half.decision, loose.decision]).toEqual(["release", "fix-first", "hold"]);
    expect(kept.opinions.map((said) => said?.recommendation)).toEqual([
      "release",
      "release",
      "release",
      "release",
      "release",
    ]);
    expect(loose.opinions.map((said) => said?.recommendation)).toEqual([
      "hold",
      "release",
      "hold",
      "hold",
      "fix-first",
    ]);
    expect(loose.opinions[0]?.concerns[0]).toMatchObject({
      severity: "critical",
      file: "src/main.js",
      line: 1,
      rule: "security/secret",
    });
    expect(new Set(kept.opinions.map((said) => said?.confidence)).size).toBeGreaterThan(1);
    expect(half.opinions[0]?.alternatives[0]?.description).toContain(
      "security/shell-command (1 place, first src/run.js:2)",
    );
  });

  it("approve their recommendation and all that is more cautious", async () => {
    const { opinion: said } = await hear(securityExpert, { context: { folder: makeProject(unfinished) } });
    expect(said).toMatchObject({ recommendation: "fix-first", approves: ["fix-first", "hold"] });
  });

  it("give the same opinion of the same folder", async () => {
    const folder = makeProject(unfinished);
    const [first, second] = [await council(folder), await council(folder)];
    expect(second).toEqual(first);
  });

  it("say in words what they examined, what they could not, and what was left out", async () => {
    const { opinion: said } = await hear(experts[2], {
      context: { folder: makeProject({ ...wellKept, "node_modules/a/index.js": "1" }) },
    });
    expect(said?.reasoning).toMatch(/Examined: complexity and length \(1 function and 3 lines in 1 file\); tests/);
    expect(said?.reasoning).toMatch(
      /Could not be measured \(coverage \d+ %\): history: what changes often, and who changes it: the folder is not under git/,
    );
    expect(said?.reasoning).toMatch(/Left out: 1 folders hold dependencies/);
  });

  it("report progress that only grows", async () => {
    const { progress } = await hear(securityExpert, { context: { folder: makeProject(wellKept) } });
    const fractions = progress.map(([fraction]) => fraction);
    expect(fractions).toEqual(fractions.toSorted((left, right) => left - right));
    expect(fractions[0]).toBe(0);
    expect(fractions.at(-1)).toBeCloseTo(1);
    expect(progress.map(([, note]) => note)).toContain("secrets in text");
  });

  it("stop promptly in the middle when they are told to", async () => {
    const folder = makeProject(
      Object.fromEntries(Array.from({ length: 800 }, (_, index) => [`f${index}.ts`, code(60)])),
    );
    for (const expert of experts) {
      const controller = new AbortController();
      const heard = hear(expert, { context: { folder } }, controller.signal);
      setImmediate(() => controller.abort(new Error("enough")));
      const asked = process.cpuUsage();
      await expect(heard).rejects.toThrow("enough");
      // Of computing: what a busy machine gives to others does not count.
      const { user, system } = process.cpuUsage(asked);
      expect((user + system) / 1_000).toBeLessThan(1_000);
    }
  });
});

describe("other questions", () => {
  it("prefer the option whose folder carries the least burden, and say why", async () => {
    const options = [
      { id: "loose", folder: makeProject(careless) },
      { id: "kept", folder: makeProject(wellKept) },
      { id: "gone", folder: join(makeProject({}), "gone") },
    ];
    const { opinion: said } = await hear(securityExpert, { options });
    expect(said).toMatchObject({ recommendation: "kept", approves: ["kept"] });
    expect(said?.reasoning).toContain("kept carries the least burden");
    expect(said?.reasoning).toMatch(/gone: .* does not exist/);
    expect(said?.concerns[0]?.message).toMatch(/^loose: /);
  });

  it("abstain when no option's folder can be measured", async () => {
    const { opinion: said } = await hear(performanceExpert, {
      options: [
        { id: "a", folder: makeProject({}) },
        { id: "b", folder: makeProject({ "a.png": "x" }) },
      ],
    });
    expect(said).toMatchObject({ recommendation: "abstain", confidence: null });
  });

  it("abstain from options that say nothing that can be measured", async () => {
    const { opinion: said } = await hear(userExperienceExpert, {
      options: [{ id: "red" }, { id: "blue" }],
      context: { folder: makeProject(wellKept) },
    });
    expect(said).toMatchObject({ recommendation: "abstain", confidence: null });
    expect(said?.reasoning).toContain("not known to run from the boldest");
  });

  it("abstain when every option offered is bolder than they can bear", async () => {
    const { opinion: said } = await hear(securityExpert, {
      options: [{ id: "release" }],
      context: { folder: makeProject(careless) },
    });
    expect(said).toMatchObject({ recommendation: "abstain", confidence: null });
    expect(said?.concerns.length).toBeGreaterThan(0);
  });
});

describe("without an optional library", () => {
  it("its checks are left out, the rest goes on, and the opinion says so", () => {
    const folder = makeProject(unfinished);
    const hook = join(folder, "hook.mjs");
    const script = join(folder, "ask.mjs");
    writeFileSync(
      hook,
      `import { registerHooks } from "node:module";
registerHooks({ resolve(specifier, context, next) {
  if (/^(@secretlint|@ast-grep|mdast-util|publint|ignore$|semver$)/.test(specifier)) throw Object.assign(new Error("absent"), { code: "ERR_MODULE_NOT_FOUND" });
  return next(specifier, context);
} });\n`,
    );
    const agents = new URL("../../agents/index.ts", import.meta.url).href;
    writeFileSync(
      script,
      `const { experts } = await import(${JSON.stringify(agents)});
const input = { decisionId: "d", description: "?", options: [{ id: "release" }, { id: "fix-first" }, { id: "hold" }], context: { folder: ${JSON.stringify(folder)} }, constraints: [] };
const none = () => undefined;
const said = await Promise.all(experts.map((expert) => expert.capabilities["decision.opinion"].run({ input, signal: new AbortController().signal, progress: none, log: none, degrade: none })));
process.stdout.write(JSON.stringify(said));\n`,
    );
    const ran = spawnSync(
      process.execPath,
      ["--conditions=troupe-source", "--import", pathToFileURL(hook).href, script],
      { encoding: "utf8" },
    );
    expect(ran.stderr).toBe("");
    const [security, performanceSaid, , business] = JSON.parse(ran.stdout) as {
      recommendation: string;
      reasoning: string;
    }[];
    expect(security?.reasoning).toContain("secrets in text: the optional package @secretlint/core is not installed");
    expect(security?.reasoning).toContain("the optional package @ast-grep/napi is not installed");
    expect(security?.reasoning).toContain(".gitignore was not obeyed");
    expect(performanceSaid?.recommendation).toBe("abstain");
    expect(performanceSaid?.reasoning).toContain("Too little here can be measured (coverage 10 %)");
    expect(business?.reasoning).toContain("the optional package publint is not installed");
    rmSync(script);
  });
});

describe("the house", () => {
  it("lists every optional library as an optional peer, pinned for tests", () => {
    const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
    const manifest = JSON.parse(text) as Record<string, Record<string, unknown>>;
    const loaders = readFileSync(new URL("../../agents/project/libraries.ts", import.meta.url), "utf8");
    const used = [...loaders.matchAll(/import\("([^"]+)"\)/g)].map(([, name = ""]) =>
      name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/"),
    );
    expect(used.length).toBeGreaterThan(8);
    for (const name of used) {
      const places = ["peerDependenciesMeta", "devDependencies", "dependencies"].map((key) => manifest[key]?.[name]);
      expect([name, ...places]).toEqual([name, { optional: true }, expect.stringMatching(/^\d/), undefined]);
    }
  });
});
