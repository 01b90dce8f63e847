import { type Check, countOf, type Finding, measured, notApplicable, unavailable } from "../check.ts";
import { sourceFiles } from "../project/files.ts";
import { isProject, isPublished } from "../project/standing.ts";

const dayMs = 86_400_000;
/** Silence after which users begin to ask, and after which they had better look elsewhere. */
const quietDays = 365;
const abandonedDays = 730;
/** Commits since the last release from which users wait for finished work, and how long they have waited by then. */
const waitingCommits = 50;
const waitingDays = 180;

function daysBetween(from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / dayMs));
}

export const rhythm: Check = {
  id: "rhythm",
  title: "its rhythm of work and release",
  weight: 1.5,
  scale: "project",
  async examine({ survey, now }) {
    await Promise.resolve();
    if (!survey.history.ok) return unavailable(survey.history.why);
    const { commits, tags, cut } = survey.history.history;
    const newest = commits[0];
    if (newest === undefined) return unavailable("no commit touches this folder");
    const silent = daysBetween(newest.at, now);
    const findings: Finding[] = [];
    if (silent >= quietDays) {
      const severity = silent >= abandonedDays ? "high" : "medium";
      findings.push({
        rule: "business/quiet",
        severity,
        message:
          severity === "high"
            ? "Nobody has worked on this for long: it looks abandoned."
            : "Nobody has worked on this for a year.",
        figure: `last commit ${silent} days ago`,
      });
    }
    const release = tags[0];
    const since = release === undefined ? 0 : commits.filter(({ at }) => at > release.at).length;
    const waited = release === undefined ? 0 : daysBetween(release.at, newest.at);
    if (since >= waitingCommits && waited >= waitingDays) {
      findings.push({
        rule: "business/unreleased-work",
        severity: "medium",
        message: "Finished work waits for a release.",
        figure: `${since} commits in ${waited} days since ${release?.name ?? ""}`,
      });
    }
    const released = release === undefined ? "no tag" : `${countOf(tags.length, "tag")}, last ${release.name}`;
    return measured(
      `${countOf(commits.length, "commit")}${cut ? " (newest only)" : ""}, last ${silent} days ago, ${released}`,
      findings,
    );
  },
};

export const changeLog: Check = {
  id: "change-log",
  title: "its change log",
  weight: 0.5,
  scale: "project",
  async examine({ survey }) {
    const { manifest } = survey;
    if (!isProject(survey)) return notApplicable("neither code nor a package");
    const file =
      survey.files.find(({ path }) =>
        /^(docs\/)?(changelog|changes|history|news|releases?|release[-_]notes)(\.(md|txt|rst|markdown))?$/i.test(path),
      ) ?? survey.files.find(({ path }) => /^\.changeset\/|^changelogs?\/.+\.md$/i.test(path));
    if (file === undefined) {
      if (isPublished(survey) || manifest?.data["private"] === true)
        return notApplicable("not shipped with the package");
      return measured("none found", [
        {
          rule: "business/no-change-log",
          severity: "low",
          message: "Nothing tells users what changed: add CHANGELOG.md.",
          figure: `none among ${countOf(survey.files.length, "file")}`,
        },
      ]);
    }
    const version = manifest?.text("version");
    const source = await survey.text(file);
    const tells =
      version === undefined ||
      source === undefined ||
      version.startsWith("0.0.0") ||
      source.text.includes(version) ||
      /unreleased/i.test(source.text) ||
      !/^#+.*\d+\.\d+/m.test(source.text);
    return measured(
      file.path,
      tells
        ? []
        : [
            {
              rule: "business/change-log-behind",
              severity: "low",
              message: "The change log does not tell of the current version.",
              file: file.path,
              line: 1,
              figure: `version ${version}`,
            },
          ],
    );
  },
};

export const ownership: Check = {
  id: "ownership",
  title: "who answers for it",
  weight: 0.5,
  scale: "project",
  async examine({ survey, pace }) {
    const { manifest } = survey;
    if (manifest === undefined && sourceFiles(survey.files).length === 0)
      return notApplicable("neither code nor a package");
    await pace.breathe();
    const named = ["author", "authors", "maintainers", "contributors", "publisher"].find((key) => {
      const value = manifest?.data[key];
      return value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
    });
    const file = survey.files.find(({ path }) =>
      /^(\.github\/|docs\/)?(codeowners|authors|maintainers|contributors|contributing|governance|owners)(\.\w+)?$/i.test(
        path,
      ),
    );
    if (named !== undefined || file !== undefined) return measured(named ?? file?.path ?? "");
    if (survey.history.ok)
      return measured(
        `known from ${countOf(new Set(survey.history.history.commits.map(({ author }) => author)).size, "author")} in the history`,
      );
    if (manifest === undefined) return unavailable("no manifest and no history name anyone");
    return measured("nobody named", [
      {
        rule: "business/no-owner",
        severity: "low",
        message: "Nobody is named who answers for this.",
        file: manifest.path,
        line: 1,
        figure: "no author, maintainers or owners file, and no history",
      },
    ]);
  },
};
