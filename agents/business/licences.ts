import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Info } from "spdx-expression-parse";
import {
  type Check,
  countOf,
  type Examination,
  type Finding,
  measured,
  notApplicable,
  type Tools,
  unavailable,
} from "../check.ts";
import { sourceFiles } from "../project/files.ts";
import { loadLibrary } from "../project/libraries.ts";
import { readLockfile } from "../project/lockfile.ts";
import { isRecord } from "../project/manifest.ts";
import { isPublished } from "../project/standing.ts";
import type { Survey } from "../project/survey.ts";

/** What a licence asks of whoever builds on it. */
export type LicenceKind = "permissive" | "weak-copyleft" | "strong-copyleft" | "source-available" | "unknown";

const strong = /^(A?GPL|EUPL|OSL|SSPL|CECILL|RPL|Sleepycat)/i;
const weak = /^(LGPL|MPL|EPL|CDDL|CPL|MS-RL|CC-BY-SA|EPL)/i;
const limited = /^(BUSL|Elastic|PolyForm|CC-BY-NC|CC-BY-ND|Commons-Clause)|LicenseRef/i;

export function kindOfLicence(id: string): LicenceKind {
  if (limited.test(id)) return "source-available";
  if (weak.test(id)) return "weak-copyleft";
  return strong.test(id) ? "strong-copyleft" : "permissive";
}

const order: readonly LicenceKind[] = ["permissive", "weak-copyleft", "strong-copyleft", "source-available", "unknown"];

/** What a whole expression asks: of alternatives the mildest may be chosen, of what is joined all must be kept. */
export function kindOfExpression(info: Info): LicenceKind {
  if ("license" in info)
    return info.exception === undefined ? kindOfLicence(info.license) : milder(kindOfLicence(info.license));
  const [left, right] = [order.indexOf(kindOfExpression(info.left)), order.indexOf(kindOfExpression(info.right))];
  return order[info.conjunction === "or" ? Math.min(left, right) : Math.max(left, right)] as LicenceKind;
}

/** An exception (linking, class path, runtime library) takes the edge off strong copyleft. */
function milder(kind: LicenceKind): LicenceKind {
  return kind === "strong-copyleft" ? "weak-copyleft" : kind;
}

const licenceFile = /^(licen[cs]e|copying|unlicense|copyright)([-_.][\w.-]+)?$/i;
const texts: readonly (readonly [RegExp, RegExp])[] = [
  [/^Apache-2/i, /apache license\s*,?\s*version 2/i],
  [/^MIT/i, /permission is hereby granted, free of charge/i],
  [/^ISC/i, /permission to use, copy, modify,? and\/or distribute/i],
  [/^BSD/i, /redistribution and use in source and binary forms/i],
  [/^MPL-2/i, /mozilla public license,?\s*(version|v\.)\s*2/i],
  [/^AGPL/i, /gnu affero general public license/i],
  [/^LGPL/i, /gnu lesser general public license/i],
  [/^GPL/i, /gnu general public license/i],
];

/** Lines of code below which a folder may be a snippet rather than a work that needs a licence at once. */
const workLines = 150;

export const licence: Check = {
  id: "licence",
  title: "its licence",
  weight: 2.5,
  scale: "project",
  async examine(tools) {
    const { survey } = tools;
    const { manifest } = survey;
    if (manifest === undefined && sourceFiles(survey.files).length === 0)
      return notApplicable("neither code nor a package");
    const [file] = survey.rootFiles(licenceFile);
    const declared = await declaredLicence(survey);
    if (
      manifest?.data["private"] === true &&
      file === undefined &&
      (declared === undefined || /^unlicen[sc]ed$/i.test(declared.text))
    )
      return notApplicable("a private package needs none");
    if (declared === undefined && file === undefined) return withoutLicence(survey);
    const findings: Finding[] = [];
    const source = file === undefined ? undefined : await survey.text(file);
    if (declared === undefined && manifest !== undefined)
      findings.push({
        rule: "business/licence-not-declared",
        severity: "low",
        message: "The manifest does not name the licence, so tools cannot see it.",
        file: manifest.path,
        line: 1,
        figure: "no licence field",
      });
    if (declared !== undefined && file === undefined && !isPublished(survey))
      findings.push({
        rule: "business/no-licence-text",
        severity: "medium",
        message: "The licence is named but its text is missing, which most licences ask for.",
        file: declared.file,
        line: declared.line,
        figure: declared.text,
      });
    if (declared !== undefined && source !== undefined) {
      const expected = texts.find(([id]) => id.test(declared.text));
      const found = texts.find(([, words]) => words.test(source.text));
      if (expected !== undefined && found !== undefined && !expected[1].test(source.text)) {
        findings.push({
          rule: "business/licence-mismatch",
          severity: "high",
          message: "The licence that is declared is not the one whose text is here.",
          file: declared.file,
          line: declared.line,
          figure: `declared ${declared.text}; ${file?.path ?? ""} reads otherwise`,
        });
      }
    }
    if (declared !== undefined && manifest !== undefined && declared.file === manifest.path)
      findings.push(...(await invalidExpression(declared)));
    return measured([declared?.text, file?.path].filter((part) => part !== undefined).join(", "), findings);
  },
};

interface Declared {
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** The licence as the manifest of any known ecosystem names it. */
async function declaredLicence(survey: Survey): Promise<Declared | undefined> {
  const { manifest } = survey;
  if (manifest !== undefined) {
    const value = manifest.data["license"] ?? manifest.data["licenses"];
    const first: unknown = Array.isArray(value) ? value[0] : value;
    const text = isRecord(first) ? first["type"] : first;
    if (typeof text === "string" && text.trim() !== "")
      return {
        text,
        file: manifest.path,
        line: manifest.lineOf(manifest.data["license"] === undefined ? "licenses" : "license"),
      };
  }
  for (const file of survey.rootFiles(
    /^(pyproject\.toml|setup\.cfg|setup\.py|Cargo\.toml|PKG-INFO|METADATA|[^/]+\.gemspec|composer\.json)$/i,
  )) {
    const source = await survey.text(file);
    const match = /^\s*["']?(?:[\w.]+\.)?licen[cs]e["']?\s*[=:]\s*(?:\{\s*\w+\s*=\s*)?["']?([^"'\n,}]+)/im.exec(
      source?.text ?? "",
    );
    if (source !== undefined && match !== null)
      return { text: (match[1] ?? "").trim(), file: file.path, line: source.lineAt(match.index + match[0].length) };
  }
  return undefined;
}

function withoutLicence(survey: Survey): Examination {
  if (survey.manifest === undefined && isPublished(survey))
    return unavailable("an installed package keeps its licence in the installer's records");
  const severity = survey.sourceLines >= workLines || survey.manifest !== undefined ? "critical" : "high";
  const place = survey.manifest === undefined ? {} : { file: survey.manifest.path, line: 1 };
  return measured("none found", [
    {
      rule: "business/no-licence",
      severity,
      message: "There is no licence: nobody else may use, change or share this.",
      ...place,
      figure: `${survey.sourceLines} lines without terms`,
    },
  ]);
}

async function invalidExpression(declared: Declared): Promise<Finding[]> {
  if (/^(unlicen[sc]ed|see licen[cs]e in .+)$/i.test(declared.text)) return [];
  const parse = await loadLicenceParser();
  if (typeof parse === "string" || parse(declared.text) !== undefined) return [];
  return [
    {
      rule: "business/licence-not-spdx",
      severity: "low",
      message: "The licence is not an SPDX expression, so tools cannot understand it.",
      file: declared.file,
      line: declared.line,
      figure: declared.text.slice(0, 100),
    },
  ];
}

async function loadLicenceParser(): Promise<((text: string) => Info | undefined) | string> {
  const loaded = await loadLibrary("spdx-expression-parse");
  if (!loaded.ok) return loaded.why;
  const parse = loaded.exports.default;
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof Error) return undefined;
      throw error;
    }
  };
}

/** Packages with a licence to think about that are listed, in the order in which they are declared. */
const listedMax = 30;

export const dependencyLicences: Check = {
  id: "dependency-licences",
  title: "licences of what it builds on",
  weight: 1.5,
  scale: "project",
  async examine(tools) {
    const { survey } = tools;
    const { manifest } = survey;
    if (manifest === undefined) return notApplicable("no package.json");
    const direct = Object.keys({ ...manifest.record("dependencies"), ...manifest.record("optionalDependencies") });
    if (direct.length === 0) return notApplicable("no runtime dependency");
    const parse = await loadLicenceParser();
    if (typeof parse === "string") return unavailable(parse);
    const known = await collectLicences(tools, direct);
    if (known.size === 0) return unavailable("neither a lockfile nor installed packages tell their licences");
    const own = parse(manifest.text("license") ?? "");
    const mild =
      own === undefined
        ? manifest.data["private"] !== true
        : ["permissive", "weak-copyleft"].includes(kindOfExpression(own));
    const findings: Finding[] = [];
    for (const [name, { text, line, file }] of known) {
      const info = parse(text);
      const kind = info === undefined ? "unknown" : kindOfExpression(info);
      const place = { file, line, figure: text.slice(0, 100) };
      if (kind === "strong-copyleft" && mild)
        findings.push({
          rule: "business/licence-conflict",
          severity: "high",
          message: `${name} asks that whatever contains it be given under its own licence, which this project does not do.`,
          ...place,
        });
      if (kind === "source-available")
        findings.push({
          rule: "business/licence-limits-use",
          severity: "high",
          message: `${name} limits who may use it and for what.`,
          ...place,
        });
      if (kind === "unknown" && !/^see licen/i.test(text))
        findings.push({
          rule: "business/licence-unclear",
          severity: "low",
          message: `${name} names a licence that cannot be understood.`,
          ...place,
        });
    }
    return measured(
      `${countOf(known.size, "dependency", "dependencies")} of ${direct.length} declared and their own`,
      findings.slice(0, listedMax),
    );
  },
};

interface KnownLicence {
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** Licences from the lockfile where it carries them, and from the manifests of installed direct dependencies. */
async function collectLicences({ survey, pace }: Tools, direct: readonly string[]): Promise<Map<string, KnownLicence>> {
  const known = new Map<string, KnownLicence>();
  const lock = await readLockfile(survey, pace);
  for (const entry of lock?.ok === true ? lock.packages : []) {
    if (!entry.dev && entry.licence !== undefined)
      known.set(entry.name, { text: entry.licence, file: lock?.path ?? "", line: entry.line });
  }
  for (const name of direct) {
    await pace.breathe();
    if (known.has(name) || !/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) continue;
    const text = await readFile(join(survey.folder, "node_modules", name, "package.json"), "utf8").catch(
      () => undefined,
    );
    const declared = text === undefined ? undefined : /"license"\s*:\s*"([^"]+)"/.exec(text)?.[1];
    if (declared !== undefined)
      known.set(name, {
        text: declared,
        file: survey.manifest?.path ?? "package.json",
        line: survey.manifest?.lineOf("dependencies", name) ?? 1,
      });
  }
  return known;
}
