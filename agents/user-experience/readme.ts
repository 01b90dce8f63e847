import { countOf, type Check, type Examination, type Finding, measured, notApplicable, type Tools } from "../check.ts";
import type { ProjectFile } from "../project/files.ts";
import type { Document } from "../project/markdown.ts";
import { isProject, isPublished } from "../project/standing.ts";

/** Words below which a README is a heading rather than an explanation. */
const fewWords = 40;
/** Words from which the parts of a README need headings to be found. */
const manyWords = 300;
const installWords =
  /\b(install|installation|getting started|quick ?start|setup|set up|npm (i|install|create)|npx |yarn add|pnpm add|pip install|cargo (add|install)|go (get|install)|gem install|brew install|apt(-get)? install|docker run)\b/i;

export const readme: Check = {
  id: "readme",
  title: "its README",
  weight: 3,
  scale: "project",
  async examine(tools) {
    const { survey } = tools;
    if (!isProject(survey)) return notApplicable("neither code nor a package");
    const file =
      survey.rootFiles(/^readme(\.|$)/i)[0] ??
      survey.files.find(({ path }) => /^(docs|\.github)\/readme\./i.test(path));
    if (file === undefined)
      return measured("none found", [
        {
          rule: "user-experience/no-readme",
          severity: "high",
          message: "There is no README: a newcomer cannot tell what this is or how to begin.",
          figure: `none among ${countOf(survey.files.length, "file")}`,
        },
      ]);
    const document = /\.(md|markdown)$|readme$/i.test(file.path) ? await survey.document(file) : undefined;
    return document === undefined ? await judgePlainText(tools, file) : judgeDocument(tools, file, document);
  },
};

/** A README in another markup, or one that could not be parsed: only its words are looked at. */
async function judgePlainText({ survey }: Tools, file: ProjectFile): Promise<Examination> {
  const text = (await survey.text(file))?.text ?? "";
  const words = text.split(/\s+/).filter((word) => /\w/.test(word)).length;
  const findings: Finding[] = [];
  if (words < fewWords)
    findings.push({
      rule: "user-experience/thin-readme",
      severity: "medium",
      message: "The README hardly says anything.",
      file: file.path,
      line: 1,
      figure: `${words} words`,
    });
  else if (!installWords.test(text))
    findings.push({
      rule: "user-experience/no-installation",
      severity: "low",
      message: "The README does not say how to install or start.",
      file: file.path,
      line: 1,
      figure: `${words} words`,
    });
  return measured(`${file.path}, ${words} words`, findings);
}

function judgeDocument({ survey }: Tools, file: ProjectFile, document: Document): Examination {
  const { headings, code, words, links } = document;
  const findings: Finding[] = [];
  const say = (rule: string, severity: Finding["severity"], message: string, figure = `${words} words`): void => {
    findings.push({
      rule: `user-experience/${rule}`,
      severity,
      message,
      file: file.path,
      line: 1,
      figure,
    });
  };
  const pointsElsewhere = links.some(
    ({ target, image }) =>
      !image &&
      /^https?:\/\/(?!(www\.)?(npmjs|badge|img\.shields|codecov|travis|opencollective|twitter|x\.com|discord))/.test(
        target,
      ),
  );
  const said = [...headings.map(({ text }) => text), ...code.map(({ text }) => text)].join("\n");
  if (words < fewWords)
    say(
      "thin-readme",
      pointsElsewhere && isPublished(survey) ? "low" : "medium",
      "The README hardly says anything.",
      `${words} words`,
    );
  const name = survey.manifest?.text("name");
  if (name !== undefined && survey.manifest?.data["private"] !== true) {
    if (!installWords.test(said) && !installWords.test(linkedWords(document)))
      say("no-installation", pointsElsewhere ? "low" : "medium", "The README does not say how to install it.");
    const example = code.some(
      ({ text }) =>
        text.includes(name) || commandsOf(survey.manifest?.data["bin"], name).some((command) => text.includes(command)),
    );
    const own = code.some(({ language }) =>
      /^(js|javascript|ts|typescript|jsx|tsx|mjs|sh|bash|shell|console|html|vue|svelte)$/.test(language),
    );
    if (!example && !own)
      say(
        "no-example",
        pointsElsewhere ? "low" : "medium",
        "No example in the README uses the package.",
        `${code.length} code blocks`,
      );
  }
  if (words >= manyWords && headings.length < 3)
    say(
      "no-structure",
      "low",
      "The README is long and has hardly any headings.",
      `${words} words, ${headings.length} headings`,
    );
  const nameless = links.filter(({ image, target }) => image && target === "").length;
  if (nameless > 0) say("empty-image", "low", "Images lead nowhere.", `${nameless} images`);
  return measured(`${file.path}, ${words} words, ${code.length} code blocks`, findings);
}

function linkedWords({ links }: Document): string {
  return links.map(({ target }) => target.replaceAll("-", " ")).join("\n");
}

function commandsOf(bin: unknown, name: string): readonly string[] {
  if (typeof bin === "string") return [name.split("/").at(-1) ?? name];
  return typeof bin === "object" && bin !== null ? Object.keys(bin) : [];
}
