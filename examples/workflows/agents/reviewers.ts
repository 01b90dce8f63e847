import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { defineAgent } from "troupe";
import { z } from "zod";
import { listFiles } from "./files.ts";

const longLine = 120;
const longFile = 400;

const concern = z.object({ path: z.string(), line: z.number(), text: z.string() });
type Concern = z.infer<typeof concern>;

/** Judges one file. */
type Judge = (path: string, lines: readonly string[]) => Concern[];

function eachLine(check: (line: string) => string | undefined): Judge {
  return (path, lines) =>
    lines.flatMap((line, at) => {
      const text = check(line);
      return text === undefined ? [] : [{ path, line: at + 1, text }];
    });
}

/** What each reviewer looks for. */
const judges: { readonly [reviewer: string]: { readonly endings: RegExp; readonly judge: Judge } } = {
  style: {
    endings: /\.(m?[jt]s|css|html)$/,
    judge: eachLine((line) => (line.length > longLine ? `${line.length} characters in one line` : undefined)),
  },
  debris: {
    endings: /\.(m?[jt]s|py|sh|md)$/,
    judge: eachLine((line) =>
      /\b(TODO|FIXME|XXX)\b|\bconsole\.log\(|\bdebugger\b/.test(line)
        ? `left over: ${line.trim().slice(0, 60)}`
        : undefined,
    ),
  },
  size: {
    endings: /\.(m?[jt]s|py)$/,
    judge: (path, lines) =>
      lines.length > longFile ? [{ path, line: longFile, text: `${lines.length} lines in one file` }] : [],
  },
  security: {
    endings: /\.(m?[jt]s|py|sh|env|json|ya?ml)$/,
    judge: eachLine((line) =>
      /\beval\(|new Function\(|\b(password|secret|api_?key)\s*[:=]\s*["'][^"']{6,}/i.test(line)
        ? "evaluates a text, or holds a secret"
        : undefined,
    ),
  },
  documentation: {
    endings: /\.md$/,
    judge: (path, lines) =>
      lines.some((line) => /^#\s/.test(line)) ? [] : [{ path, line: 1, text: "a document without a title" }],
  },
};

/** Reviews files of a folder from one side: style, debris, size, security or documentation. */
export const reviewers = defineAgent({
  name: "reviewers",
  concurrency: 8,
  capabilities: {
    "review.files": {
      idempotent: true,
      input: z.object({ folder: z.string(), reviewer: z.string(), paths: z.array(z.string()).optional() }),
      output: z.object({ reviewer: z.string(), files: z.number(), concerns: z.array(concern) }),
      async run({ input: { folder, reviewer, paths }, fail }) {
        const chosen = judges[reviewer];
        if (chosen === undefined)
          return fail("review/unknown", `${reviewer} is none of ${Object.keys(judges).join(", ")}`);
        const all = paths ?? (await listFiles(folder).catch((error: Error) => fail("files/unreadable", error.message)));
        const own = all.filter((path) => chosen.endings.test(path));
        const judged = await Promise.all(
          own.map(async (path) => chosen.judge(path, (await readFile(join(folder, path), "utf8")).split("\n"))),
        );
        return { reviewer, files: own.length, concerns: judged.flat() };
      },
    },
    "review.assign": {
      idempotent: true,
      input: z.object({ files: z.array(z.array(z.object({ path: z.string() }))) }),
      output: z.object({
        reviewers: z.array(z.string()),
        modules: z.array(
          z.object({
            name: z.string(),
            reviews: z.array(z.object({ reviewer: z.string(), paths: z.array(z.string()) })),
          }),
        ),
      }),
      /** Modules are the top-level folders; a reviewer is chosen where there is something for it to see. */
      run({ input: { files } }) {
        const paths = files.flat().map(({ path }) => path);
        const reviewersThere = Object.entries(judges)
          .filter(([, { endings }]) => paths.some((path) => endings.test(path)))
          .map(([name]) => name);
        const moduleOf = (path: string): string => (path.includes("/") ? (path.split("/")[0] ?? "") : ".");
        const modules = [...new Set(paths.map(moduleOf))].map((name) => {
          const own = paths.filter((path) => moduleOf(path) === name);
          return { name, reviews: reviewersThere.map((reviewer) => ({ reviewer, paths: own })) };
        });
        return { reviewers: reviewersThere, modules };
      },
    },
    "review.summary": {
      idempotent: true,
      input: z.object({ reviews: z.array(z.object({ reviewer: z.string(), concerns: z.array(concern) })) }),
      output: z.object({ concerns: z.array(concern.extend({ reviewer: z.string() })), count: z.number() }),
      run({ input: { reviews } }) {
        const concerns = reviews.flatMap(({ reviewer, concerns: own }) => own.map((one) => ({ ...one, reviewer })));
        return { concerns, count: concerns.length };
      },
    },
    "review.total": {
      idempotent: true,
      input: z.object({ modules: z.array(z.object({ concerns: z.array(concern) })) }),
      output: z.object({ count: z.number() }),
      run: ({ input: { modules } }) => ({ count: modules.reduce((sum, { concerns }) => sum + concerns.length, 0) }),
    },
  },
});
