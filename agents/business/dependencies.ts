import { type Check, countOf, type Finding, measured, notApplicable, unavailable } from "../check.ts";
import { loadLibrary } from "../project/libraries.ts";
import { readLockfile } from "../project/lockfile.ts";

/** A version that no package reaches: a range that admits it has no upper bound. */
const beyondEveryVersion = "999999.0.0";
const elsewhere = /^(git[+:]|github:|gitlab:|bitbucket:|https?:|[\w-]+\/[\w.-]+(#.*)?$)/;
/** Deprecated packages that are listed, in the order of the lockfile. */
const listedMax = 10;
/** Runtime dependencies of one package from which each release of theirs is work here. */
const manyDirect = 40;

export const dependencyHealth: Check = {
  id: "dependency-health",
  title: "the state of what it builds on",
  weight: 1,
  scale: "project",
  async examine({ survey, pace }) {
    const { manifest } = survey;
    if (manifest === undefined) return notApplicable("no package.json");
    const direct = Object.entries({ ...manifest.record("optionalDependencies"), ...manifest.record("dependencies") });
    if (direct.length === 0) return measured("no runtime dependency");
    const semver = await loadLibrary("semver");
    if (!semver.ok) return unavailable(semver.why);
    const { satisfies, validRange } = semver.exports.default;
    const findings: Finding[] = [];
    for (const [name, range] of direct) {
      if (typeof range !== "string") continue;
      const place = {
        file: manifest.path,
        line: manifest.lineOf(name in manifest.record("dependencies") ? "dependencies" : "optionalDependencies", name),
        figure: `${name} ${range}`.slice(0, 200),
      };
      const bare = range.replace(/^npm:(@?[^@]+)@/, "");
      if (elsewhere.test(bare))
        findings.push({
          rule: "business/dependency-elsewhere",
          severity: "medium",
          message: `${name} is taken from outside the registry: it can vanish or change under the same name.`,
          ...place,
        });
      else if (
        /^(latest|next|canary)$/.test(bare) ||
        (validRange(bare) !== null && satisfies(beyondEveryVersion, bare))
      )
        findings.push({
          rule: "business/unbounded-range",
          severity: "medium",
          message: `${name} may be any future version, also one that breaks this.`,
          ...place,
        });
    }
    if (direct.length >= manyDirect)
      findings.push({
        rule: "business/many-dependencies",
        severity: "low",
        message: "So many direct dependencies are a steady cost of upkeep.",
        file: manifest.path,
        line: manifest.lineOf("dependencies"),
        figure: `${direct.length} direct dependencies`,
      });
    const lock = await readLockfile(survey, pace);
    const names = new Set(direct.map(([name]) => name));
    const left = lock?.ok === true ? lock.packages.filter((entry) => !entry.dev && entry.deprecated !== undefined) : [];
    for (const { name, line, deprecated } of left.slice(0, listedMax)) {
      findings.push({
        rule: "business/deprecated-dependency",
        severity: names.has(name) ? "medium" : "low",
        message: `${name} is no longer kept up by its authors.`,
        file: lock?.path ?? "",
        line,
        figure: (deprecated ?? "").slice(0, 200),
      });
    }
    return measured(
      `${countOf(direct.length, "runtime dependency", "runtime dependencies")}${lock?.ok === true ? `, ${lock.packages.length} locked packages` : ""}`,
      findings,
    );
  },
};
