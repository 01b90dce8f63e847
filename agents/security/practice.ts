import { type Check, countOf, type Finding, measured, notApplicable } from "../check.ts";

const workflow = /^\.github\/workflows\/[^/]+\.ya?ml$/;
const strangersWords =
  /\$\{\{\s*github\.(event\.(issue|pull_request|comment|review|discussion)\.(title|body)|event\.comment\.body|head_ref|event\.pull_request\.head\.(ref|label))\s*\}\}/;

export const automation: Check = {
  id: "automation",
  title: "automation that runs on behalf of strangers",
  weight: 1,
  scale: "project",
  async examine({ survey, pace }) {
    const files = survey.files.filter((file) => workflow.test(file.path));
    if (files.length === 0) return notApplicable("no GitHub workflow");
    const findings: Finding[] = [];
    for (const file of files) {
      await pace.breathe();
      const source = await survey.text(file);
      if (source === undefined) continue;
      const lines = source.text.split("\n");
      const privileged = /^\s*-?\s*pull_request_target\b/m.test(source.text);
      let inRun: number | undefined;
      for (const [index, line] of lines.entries()) {
        const place = { file: file.path, line: index + 1, figure: line.trim().slice(0, 200) };
        const indent = line.search(/\S/);
        const runs = /^\s*-?\s*run:\s*(.*)$/.exec(line);
        if (runs !== null) inRun = indent;
        else if (indent !== -1 && inRun !== undefined && indent <= inRun) inRun = undefined;
        if (inRun !== undefined && strangersWords.test(line)) {
          findings.push({
            rule: "security/workflow-injection",
            severity: "high",
            message: "Words of a stranger are written into a shell script: pass them through the environment.",
            ...place,
          });
        }
        if (privileged && /ref:\s*\$\{\{\s*github\.event\.pull_request\.head/.test(line)) {
          findings.push({
            rule: "security/workflow-privileges",
            severity: "high",
            message: "Code of a pull request is checked out with the rights of the repository (pull_request_target).",
            ...place,
          });
        }
      }
    }
    return measured(countOf(files.length, "workflow"), findings);
  },
};

export const securityPolicy: Check = {
  id: "security-policy",
  title: "a way to report weaknesses",
  weight: 0.5,
  scale: "project",
  async examine({ survey, pace }) {
    if (!survey.history.ok) return notApplicable("no repository; a published package rarely carries its policy");
    await pace.breathe();
    const policy = survey.files.find((file) => /^(\.github\/|docs\/)?security(\.md|\.txt|\.rst)?$/i.test(file.path));
    if (policy !== undefined) return measured(policy.path);
    for (const file of survey.rootFiles(/^(readme|contributing)/i)) {
      const source = await survey.text(file);
      if (
        source !== undefined &&
        /(report|disclos)[^\n]{0,80}(vulnerab|security|weakness)|(vulnerab|security)[^\n]{0,80}(report|disclos)/i.test(
          source.text,
        )
      )
        return measured(`told in ${file.path}`);
    }
    return measured("none found", [
      {
        rule: "security/no-policy",
        severity: "low",
        message: "Nothing says how to report a weakness in private: add SECURITY.md.",
        figure: `no policy among ${countOf(survey.files.length, "file")}`,
      },
    ]);
  },
};
