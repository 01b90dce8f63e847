import { posix } from "node:path";
import { type Check, type Finding, measured, notApplicable, type Tools } from "../check.ts";
import { isRecord } from "../project/manifest.ts";
import { isPublished } from "../project/standing.ts";

const typesCondition = /^types(@.*)?$/;

export const shippedTypes: Check = {
  id: "shipped-types",
  title: "whether it ships types",
  weight: 1,
  scale: "project",
  async examine(tools) {
    const { survey } = tools;
    const { manifest } = survey;
    if (manifest === undefined || manifest.data["private"] === true) return notApplicable("no package to publish");
    const entries = ["main", "module", "exports"].filter((key) => manifest.data[key] !== undefined);
    if (entries.length === 0) return notApplicable("the package has no entry point to import");
    const named = targetsOf(tools);
    if (named.length === 0) {
      const beside = survey.files.some(({ role }) => role === "declaration");
      const typedSource = survey.files.some(({ role, language }) => role === "source" && language === "typescript");
      if (beside || typedSource || (manifest.text("name") ?? "").startsWith("@types/"))
        return measured("declarations beside the code");
      return measured("none", [
        {
          rule: "user-experience/no-types",
          severity: "low",
          message: "No types are shipped: an editor cannot help those who use it.",
          file: manifest.path,
          line: manifest.lineOf(entries[0] as string),
          figure: `no declarations for ${entries.join(", ")}`,
        },
      ]);
    }
    const findings: Finding[] = [];
    for (const { target, key } of isPublished(survey) ? named : []) {
      if (target.includes("*") || (await survey.exists(posix.normalize(target)))) continue;
      findings.push({
        rule: "user-experience/missing-types",
        severity: "medium",
        message: "The manifest names a declaration file that is not here.",
        file: manifest.path,
        line: manifest.lineOf(key),
        figure: target,
      });
    }
    return measured(`${named.length} declaration files named`, findings);
  },
};

function targetsOf({ survey }: Tools): readonly { target: string; key: string }[] {
  const { manifest } = survey;
  const found: { target: string; key: string }[] = [];
  for (const key of ["types", "typings"]) {
    const target = manifest?.text(key);
    if (target !== undefined) found.push({ target: /\.[cm]?ts$/.test(target) ? target : `${target}.d.ts`, key });
  }
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (!isRecord(value)) return;
    for (const [condition, inner] of Object.entries(value)) {
      if (typesCondition.test(condition) && typeof inner === "string") found.push({ target: inner, key: "exports" });
      else walk(inner);
    }
  };
  walk(manifest?.data["exports"]);
  return found;
}
