import {
  decisionQuestion,
  type DecisionQuestion,
  defineAgent,
  type HandlerContext,
  opinion,
  type Opinion,
  opinionCapability,
} from "troupe";
import type { Check } from "./check.ts";
import { examine, type Report } from "./examination.ts";
import { abstain, type Candidate, compareFolders, judgeFolder, type Speaker } from "./opinions.ts";
import { createPace } from "./project/pace.ts";
import { openSurvey } from "./project/sharing.ts";
import { readQuestion } from "./question.ts";

/** A specialist as data: who it is, what it can measure, and how it weighs what it finds. */
export interface ExpertProfile extends Speaker {
  readonly name: string;
  readonly description: string;
  readonly checks: readonly Check[];
}

type Context = Pick<HandlerContext<DecisionQuestion>, "input" | "signal" | "progress" | "degrade" | "fail" | "log">;

/** Part of the work that the survey is taken to be, for progress. */
const surveyShare = 0.3;

/** Makes the agent of a profile: it offers `decision.opinion` and examines the folders that the question names. */
export function defineExpert(profile: ExpertProfile) {
  return defineAgent({
    name: profile.name,
    capabilities: {
      [opinionCapability]: {
        description: profile.description,
        idempotent: true,
        input: decisionQuestion,
        output: opinion,
        run: async (context) => await giveOpinion(profile, context),
      },
    },
  });
}

/** Forms the opinion of a profile on a question. */
export async function giveOpinion(profile: ExpertProfile, context: Context): Promise<Opinion> {
  const reading = readQuestion(context.input);
  if (reading.kind === "unmeasurable") return abstain(`Cannot judge: ${reading.why}.`);
  if (reading.kind === "ordered") {
    const examined = await examineFolder(profile, context, { folder: reading.folder, from: 0, share: 1 });
    if (!examined.ok)
      return context.fail(examined.failure.code, examined.failure.message, { ...examined.failure.data });
    return judgeFolder(examined.report, profile, reading.options);
  }
  const candidates: Candidate[] = reading.without.map((id) => ({
    id,
    folder: "",
    report: undefined,
    why: "the option names no folder, so there is nothing to compare",
  }));
  const share = 1 / reading.options.length;
  for (const [index, { id, folder }] of reading.options.entries()) {
    const examined = await examineFolder(profile, context, { folder, from: index * share, share });
    candidates.push(
      examined.ok
        ? { id, folder, report: examined.report, why: undefined }
        : { id, folder, report: undefined, why: examined.failure.message },
    );
  }
  return compareFolders(candidates, profile);
}

interface Part {
  readonly folder: string;
  /** Where this part begins in the whole work, and how much of it it is, 0 to 1. */
  readonly from: number;
  readonly share: number;
}

type Examined =
  | { readonly ok: true; readonly report: Report }
  | Extract<Awaited<ReturnType<typeof openSurvey>>, { ok: false }>;

async function examineFolder(profile: ExpertProfile, context: Context, part: Part): Promise<Examined> {
  const { signal, progress, log } = context;
  const at = (fraction: number): number => part.from + fraction * part.share;
  progress(at(0), "surveying the folder");
  const opened = await openSurvey(part.folder, context.input.decisionId, signal);
  if (!opened.ok) return opened;
  progress(at(surveyShare), `surveyed ${opened.survey.files.length} files`);
  const report = await examine(opened.survey, {
    checks: profile.checks,
    bias: profile.bias,
    pace: createPace(signal),
    now: Date.now(),
    onCheck: (done, check) =>
      progress(at(surveyShare + (1 - surveyShare) * (done / profile.checks.length)), check.title),
    onBreakdown(check, why) {
      log(`check ${check.id} broke down`, { why });
      context.degrade({ what: check.title, why, severity: "medium" });
    },
  });
  return { ok: true, report };
}
