import { type Check, countOf, type Finding, measured, notApplicable } from "../check.ts";
import { isPublished } from "../project/standing.ts";

const mebibyte = 1_048_576;
/** A file of this size delays every clone or installation noticeably. */
const largeFileBytes = 5 * mebibyte;
/** From this size on a large file is more than a nuisance. */
const hugeFileBytes = 25 * mebibyte;
/** Nine of ten packages on the registry unpack to less. */
const heavyPackageBytes = 10 * mebibyte;
/** Large files that are listed, the largest first. */
const listedMax = 10;

export const shippedWeight: Check = {
  id: "shipped-weight",
  title: "what has to be fetched",
  weight: 0.5,
  scale: "project",
  async examine({ survey, pace }) {
    const measurable =
      survey.manifest !== undefined ||
      survey.files.some(
        ({ role, language }) => role === "source" && /^(typescript|tsx|javascript|python|go|c|c\+\+)$/.test(language),
      );
    if (!measurable) return notApplicable("no package and no code in a language measured here");
    await pace.breathe();
    const total = survey.files.reduce((sum, file) => sum + file.bytes, 0);
    const large = survey.files
      .filter((file) => file.bytes >= largeFileBytes && file.role !== "fixture" && file.role !== "test")
      .toSorted((left, right) => right.bytes - left.bytes);
    const findings: Finding[] = large.slice(0, listedMax).map((file) => ({
      rule: "performance/large-file",
      severity: file.bytes >= hugeFileBytes ? "medium" : "low",
      message: "A large file has to be fetched with everything else.",
      file: file.path,
      figure: `${(file.bytes / mebibyte).toFixed(1)} MiB`,
    }));
    if (isPublished(survey) && total >= heavyPackageBytes) {
      findings.push({
        rule: "performance/heavy-package",
        severity: "medium",
        message: "The package is heavy to install.",
        file: "package.json",
        figure: `${(total / mebibyte).toFixed(1)} MiB in ${countOf(survey.files.length, "file")}`,
      });
    }
    return measured(`${(total / mebibyte).toFixed(1)} MiB`, findings);
  },
};
