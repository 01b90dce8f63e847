import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { decisionQuestion, opinion, opinionCapability, type Opinion } from "troupe";
import { onTestFinished } from "vitest";
import type { Check, Examination, Finding } from "../../agents/check.ts";
import { createPace } from "../../agents/project/pace.ts";
import { openSurvey } from "../../agents/project/sharing.ts";
import type { Survey } from "../../agents/project/survey.ts";

/** Writes a project into a temporary folder that is removed after the test. */
export function makeProject(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-agents-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

let decisions = 0;

/** Opens a survey for a decision of its own. */
export async function survey(folder: string): Promise<Survey> {
  const opened = await openSurvey(folder, `decision-${++decisions}`, new AbortController().signal);
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.survey;
}

/** Runs one check over a project given as files. */
export async function runCheck(
  check: Check,
  files: Readonly<Record<string, string | Uint8Array>> | string,
  now = Date.now(),
): Promise<Examination> {
  const folder = typeof files === "string" ? files : makeProject(files);
  return await check.examine({ survey: await survey(folder), pace: createPace(new AbortController().signal), now });
}

/** What a check found, or a complaint that it did not measure. */
export async function findingsOf(...args: Parameters<typeof runCheck>): Promise<readonly Finding[]> {
  const examination = await runCheck(...args);
  if (examination.state !== "measured") throw new Error(`${examination.state}: ${examination.why}`);
  return examination.findings;
}

export const releaseOptions = [{ id: "release" }, { id: "fix-first" }, { id: "hold" }];

export interface Heard {
  readonly opinion: Opinion | undefined;
  readonly failure: { readonly code: string; readonly message: string; readonly data: unknown } | undefined;
  readonly progress: readonly (readonly [number, string | undefined])[];
  readonly degraded: readonly unknown[];
}

interface AnyExpert {
  readonly name: string;
  readonly capabilities: { readonly [name: string]: { readonly run: (context: never) => unknown } };
}

/** Runs an expert's capability with a context made by hand, through its own schemas. */
export async function hear(
  expert: AnyExpert,
  question: Record<string, unknown>,
  signal = new AbortController().signal,
): Promise<Heard> {
  const progress: [number, string | undefined][] = [];
  const degraded: unknown[] = [];
  let failure: Heard["failure"];
  const input = decisionQuestion.parse({
    decisionId: `decision-${++decisions}`,
    description: "May this be released?",
    options: releaseOptions,
    ...question,
  });
  const context = {
    input,
    signal,
    progress: (fraction: number, note?: string) => progress.push([fraction, note]),
    log: () => undefined,
    degrade: (one: unknown) => degraded.push(one),
    fail(code: string, message: string, data: unknown) {
      failure = { code, message, data };
      throw new Error("refused");
    },
  };
  try {
    const said = await expert.capabilities[opinionCapability]?.run(context as never);
    return { opinion: opinion.parse(said), failure, progress, degraded };
  } catch (error) {
    if (failure === undefined) throw error;
    return { opinion: undefined, failure, progress, degraded };
  }
}

/** Runs git in a folder with a fixed author and date, away from the settings of this machine. */
export function git(folder: string, args: readonly string[], date = "2026-01-01T00:00:00Z", author = "One"): string {
  const who = {
    GIT_AUTHOR_NAME: author,
    GIT_AUTHOR_EMAIL: `${author}@invalid`,
    GIT_COMMITTER_NAME: author,
    GIT_COMMITTER_EMAIL: `${author}@invalid`,
  };
  const env = {
    PATH: process.env["PATH"] ?? "",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
    ...who,
  };
  return execFileSync("git", args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A line of text that repeats no other. */
export function manyLines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join("\n");
}
