import { type Check, countOf, type Finding, measured, notApplicable, type Severity, unavailable } from "../check.ts";
import { readLockfile } from "../project/lockfile.ts";

const installHooks = ["preinstall", "install", "postinstall"] as const;
const fetches = /\b(curl|wget|Invoke-WebRequest)\b|https?:\/\//;
const wellKnown =
  /^(node-gyp(-build)?|node-pre-gyp|prebuild-install|husky|patch-package|is-ci|opencollective|cmake-js|lefthook|simple-git-hooks|npx (only-allow|husky)|napi-postinstall)\b|^(exit 0|true|echo\b)/;

export const installScripts: Check = {
  id: "install-scripts",
  title: "scripts that run at installation",
  weight: 1,
  scale: "project",
  async examine({ survey }) {
    const { manifest } = survey;
    if (manifest === undefined) return notApplicable("no package.json");
    const scripts = manifest.record("scripts");
    const isPrivate = manifest.data["private"] === true;
    const findings = installHooks.flatMap((hook): Finding[] => {
      const script = scripts[hook];
      if (typeof script !== "string") return [];
      const severity: Severity = fetches.test(script) ? "high" : wellKnown.test(script) || isPrivate ? "low" : "medium";
      const message =
        severity === "high"
          ? `The ${hook} script fetches from the network on every machine that installs this.`
          : `The ${hook} script runs on every machine that installs this.`;
      return [
        {
          rule: "security/install-script",
          severity,
          message,
          file: manifest.path,
          line: manifest.lineOf("scripts", hook),
          figure: script.slice(0, 200),
        },
      ];
    });
    return await Promise.resolve(measured(countOf(Object.keys(scripts).length, "script"), findings));
  },
};

/** Locked packages listed one by one for one rule; a lockfile has thousands. */
const listedMax = 10;

export const lockfiles: Check = {
  id: "lockfile",
  title: "where locked dependencies come from",
  weight: 2,
  scale: "project",
  async examine({ survey, pace }) {
    const { manifest, history } = survey;
    if (manifest === undefined) return notApplicable("no package.json");
    const declared = Object.keys({ ...manifest.record("dependencies"), ...manifest.record("devDependencies") }).length;
    const lock = await readLockfile(survey, pace);
    if (lock === undefined) {
      if (declared === 0) return notApplicable("no dependency to lock");
      if (!history.ok && manifest.data["private"] !== true)
        return notApplicable("no lockfile, as usual in a published package");
      return measured(countOf(declared, "declared dependency", "declared dependencies"), [
        {
          rule: "security/no-lockfile",
          severity: "medium",
          message: "No lockfile: every installation may bring other code.",
          file: manifest.path,
          line: manifest.lineOf("dependencies"),
          figure: `${declared} dependencies`,
        },
      ]);
    }
    if (!lock.ok) return unavailable(lock.why);
    const findings: Finding[] = [];
    const note = (
      rule: string,
      severity: Severity,
      message: string,
      places: readonly { name: string; line: number; source: string }[],
    ): void => {
      for (const { name, line, source } of places.slice(0, listedMax))
        findings.push({
          rule,
          severity,
          message: `${name}: ${message}`,
          file: lock.path,
          line,
          figure: source.slice(0, 200),
        });
    };
    const remote = lock.packages.filter((entry) => !entry.linked && entry.source !== "");
    note(
      "security/plain-http-dependency",
      "high",
      "is fetched without encryption, so anyone on the way can change it.",
      remote.filter(({ source }) => source.startsWith("http://") && !/^http:\/\/(localhost|127\.)/.test(source)),
    );
    note(
      "security/git-dependency",
      "medium",
      "comes from a repository instead of a registry, so no published checksum covers it.",
      remote.filter(({ source }) => /^(git|github:|git\+)/.test(source)),
    );
    note(
      "security/no-integrity",
      "medium",
      "has no checksum, so a changed archive goes unnoticed.",
      remote.filter(({ source, integrity }) => !integrity && /^https?:/.test(source)),
    );
    return measured(`${countOf(lock.packages.length, "locked package")} in ${lock.path}`, findings);
  },
};
