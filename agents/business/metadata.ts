import { type Check, countOf, type Finding, measured, notApplicable, type Severity, unavailable } from "../check.ts";
import { loadLibrary } from "../project/libraries.ts";
import type { Manifest } from "../project/manifest.ts";
import { isPublished } from "../project/standing.ts";

/** What people look for before they choose a package. */
const wanted: readonly (readonly [string, Severity, string])[] = [
  ["name", "medium", "The package has no name."],
  ["version", "medium", "The package has no version."],
  ["description", "low", "Nothing says in one line what the package is for."],
  ["repository", "low", "Nothing says where the source is, so nobody can check or mend it."],
];
const wantedElsewhere: readonly (readonly [RegExp, readonly (readonly [RegExp, string])[]])[] = [
  [
    /^pyproject\.toml$/,
    [
      [/^\s*description\s*=/m, "description"],
      [/^\s*(version\s*=|dynamic\s*=.*version)/m, "version"],
      [/^\s*(requires-python|python)\s*=/m, "requires-python"],
    ],
  ],
  [
    /^Cargo\.toml$/,
    [
      [/^\s*description(\.workspace)?\s*=/m, "description"],
      [/^\s*version(\.workspace)?\s*=/m, "version"],
      [/^\s*(repository|homepage)(\.workspace)?\s*=/m, "repository"],
    ],
  ],
];

export const metadata: Check = {
  id: "metadata",
  title: "what its manifest tells",
  weight: 1.5,
  scale: "project",
  async examine({ survey }) {
    const { manifest } = survey;
    if (manifest !== undefined) {
      if (manifest.data["private"] === true) return notApplicable("a private package is not published");
      const findings = wanted.flatMap(([key, severity, message]): Finding[] =>
        manifest.data[key] === undefined || manifest.data[key] === ""
          ? [{ rule: `business/no-${key}`, severity, message, file: manifest.path, line: 1, figure: `no ${key} field` }]
          : [],
      );
      return measured(countOf(Object.keys(manifest.data).length, "field"), findings);
    }
    if (survey.find("package.json") !== undefined)
      return measured("package.json cannot be read", [
        {
          rule: "business/broken-manifest",
          severity: "high",
          message: "The manifest is not a JSON object, so nothing can install this.",
          file: "package.json",
          line: 1,
          figure: "no JSON object",
        },
      ]);
    for (const [name, fields] of wantedElsewhere) {
      const [file] = survey.rootFiles(name);
      const source = file === undefined ? undefined : await survey.text(file);
      if (file === undefined || source === undefined || /^\[workspace\]/m.test(source.text)) continue;
      const findings = fields.flatMap(([pattern, field]): Finding[] =>
        pattern.test(source.text)
          ? []
          : [
              {
                rule: `business/no-${field}`,
                severity: "low",
                message: `The manifest does not tell its ${field}.`,
                file: file.path,
                line: 1,
                figure: `no ${field}`,
              },
            ],
      );
      return measured(file.path, findings);
    }
    return notApplicable("no manifest of a kind known here");
  },
};

/** What publint says of files that are missing is noise where the package has not been built yet. */
const missingFile = /DOES_NOT_EXIST|INVALID_WILDCARD/;
const severityOf: Readonly<Record<string, Severity>> = { error: "medium", warning: "low" };

export const packaging: Check = {
  id: "packaging",
  title: "whether its entry points work once installed",
  weight: 1,
  scale: "project",
  async examine({ survey, pace }) {
    const { manifest } = survey;
    if (manifest === undefined || manifest.data["private"] === true) return notApplicable("no package to publish");
    if (manifest.text("name") === undefined || manifest.text("version") === undefined)
      return notApplicable("the package has no name or version to publish under");
    const library = await loadLibrary("publint");
    if (!library.ok) return unavailable(library.why);
    const words = await loadLibrary("publint/utils");
    if (!words.ok) return unavailable(words.why);
    pace.signal.throwIfAborted();
    // Packing would run a package manager in the examined folder, so the folder is taken as it is.
    const { messages, pkg } = await library.exports.publint({ pkgDir: survey.folder, pack: false, level: "warning" });
    const built = isPublished(survey);
    const told = messages.filter(
      (message) => severityOf[message.type] !== undefined && (built || !missingFile.test(message.code)),
    );
    const findings = [...Map.groupBy(told, ({ code }) => code)].flatMap(([code, alike]): Finding[] => {
      const [first] = alike;
      if (first === undefined) return [];
      const said = words.exports.formatMessage(first, pkg, { color: false }) ?? code;
      return [
        {
          rule: "business/packaging",
          severity: severityOf[first.type] ?? "low",
          message: said,
          file: manifest.path,
          line: lineOfPath(manifest, first.path),
          figure: `${code}, ${countOf(alike.length, "place")}`,
        },
      ];
    });
    return measured(`publint on ${built ? "the package as shipped" : "the folder as it is, not built"}`, findings);
  },
};

function lineOfPath(manifest: Manifest, path: readonly string[]): number {
  const [outer, ...inner] = path;
  return outer === undefined ? 1 : manifest.lineOf(outer, inner.at(-1));
}
