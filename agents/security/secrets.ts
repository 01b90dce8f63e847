import {
  type Check,
  countOf,
  type Finding,
  measured,
  notApplicable,
  type Severity,
  type Tools,
  unavailable,
} from "../check.ts";
import type { ProjectFile } from "../project/files.ts";
import { loadLibrary } from "../project/libraries.ts";

/** Longest text searched for secrets, in characters; longer ones are data or bundles. */
const secretCharactersMax = 262_144;
const rehearsal = new Set(["test", "fixture", "example", "docs", "vendored", "declaration"]);
/** Words that people write where a secret would stand. */
export const placeholder =
  /example|placeholder|change_?me|your|xxx|dummy|fake|sample|redacted|insert|replace|foo|bar|user|pass|secret|token|<|>|\$\{|\$\(|\{\{|\*{3}|\.{3}|%s/i;

/** How grave an exposed secret is: grave where it ships or is tracked, a habit where it rehearses. */
function gravity({ survey }: Tools, file: ProjectFile): { severity: Severity; where: string } {
  if (rehearsal.has(file.role)) return { severity: "low", where: ` in a ${file.role} file` };
  if (survey.history.ok && !survey.history.history.tracked.has(file.path))
    return { severity: "high", where: ", not yet under version control but not ignored either" };
  return { severity: "critical", where: "" };
}

export const secretsInText: Check = {
  id: "secrets",
  title: "secrets in text",
  weight: 3,
  scale: "project",
  async examine(tools) {
    const { survey, pace } = tools;
    const files = survey.files.filter(
      (file) => file.language !== "binary" && file.role !== "asset" && file.bytes <= secretCharactersMax,
    );
    if (files.length === 0) return notApplicable("no text file");
    const core = await loadLibrary("@secretlint/core");
    if (!core.ok) return unavailable(core.why);
    const preset = await loadLibrary("@secretlint/secretlint-rule-preset-recommend");
    if (!preset.ok) return unavailable(preset.why);
    const id = "@secretlint/secretlint-rule-preset-recommend";
    const config: Parameters<typeof core.exports.lintSource>[0]["options"]["config"] = {
      rules: [{ id, rule: preset.exports.creator, options: {} }],
    };
    const findings: Finding[] = [];
    let searched = 0;
    for (const file of files) {
      await pace.breathe();
      const source = await survey.text(file);
      if (source === undefined) continue;
      searched++;
      const result = await core.exports.lintSource({
        source: { filePath: file.path, content: source.text, contentType: "text", ext: "" },
        options: { config, locale: "en", maskSecrets: true, noPhysicFilePath: true },
      });
      for (const message of result.messages) {
        const found = source.text.slice(...message.range);
        const practised = rehearsal.has(file.role) && addressRule.test(message.ruleId);
        if (message.severity !== "error" || practised || isPretence(found, message.ruleId)) continue;
        const { severity, where } = gravity(tools, file);
        const kind = message.ruleId.replace(/^@secretlint\/secretlint-rule-/, "");
        findings.push({
          rule: "security/secret",
          severity,
          message: `A secret (${kind}) lies open${where}: withdraw it, then take it out.`,
          file: file.path,
          line: message.loc.start.line,
          figure: `${found.length} characters`,
        });
      }
    }
    return measured(countOf(searched, "text file"), findings);
  },
};

const addressRule = /basicauth|database/;

/** Credentials in an address are often stand-ins; keys and tokens of a fixed form are taken at their word. */
function isPretence(found: string, ruleId: string): boolean {
  if (/-----BEGIN/.test(found)) return found.replace(/-----[^-]+-----/g, "").replace(/\s|\\n/g, "").length < 100;
  if (!addressRule.test(ruleId)) return false;
  const [, user = "", password = ""] = /:\/\/([^:@/\s]*):([^@/\s]*)@/.exec(found) ?? [];
  return (
    password === "" ||
    password.length < 6 ||
    password === user ||
    placeholder.test(password) ||
    /localhost|127\.0\.0\.1|@(host|server|db|proxy)\b|example\./i.test(found)
  );
}

const environmentFile = /(^|\/)\.env(\.(local|production|prod|development|dev|staging))?$/;
const secretName = /(secret|token|passw(or)?d|api_?key|private_?key|credential)/i;

export const secretFiles: Check = {
  id: "secret-files",
  title: "files that are made for secrets",
  weight: 1,
  scale: "project",
  async examine(tools) {
    const { survey, pace } = tools;
    const files = survey.files.filter(
      (file) => environmentFile.test(file.path) || /(^|\/)(\.npmrc|\.netrc|\.pypirc)$/.test(file.path),
    );
    const findings: Finding[] = [];
    for (const file of files) {
      await pace.breathe();
      const source = await survey.text(file);
      const lines = source?.text.split("\n") ?? [];
      for (const [index, line] of lines.entries()) {
        const [, name = "", value = ""] = /^\s*(?:export\s+)?([\w./:-]+)\s*=\s*["']?([^"'\s#]+)/.exec(line) ?? [];
        const filled = secretName.test(name) && value.length >= 8 && !placeholder.test(value);
        if (!filled) continue;
        const { severity, where } = gravity(tools, file);
        findings.push({
          rule: "security/secret-file",
          severity,
          message: `${name.split(":").at(-1) ?? name} is filled in${where}: keep the value out of the folder, and withdraw it.`,
          file: file.path,
          line: index + 1,
          figure: `${value.length} characters`,
        });
      }
    }
    return measured(files.length === 0 ? "no such file" : countOf(files.length, "file"), findings);
  },
};
