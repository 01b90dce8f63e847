import { posix } from "node:path";
import { type Check, countOf, type Finding, measured, notApplicable, type Tools, unavailable } from "../check.ts";
import type { ProjectFile } from "../project/files.ts";
import type { Document } from "../project/markdown.ts";
import { isPublished } from "../project/standing.ts";

/** Longest document that is parsed, in bytes; a longer one is a generated reference or a log. */
const documentBytesMax = 262_144;
/** Documents that are examined, in the order of the survey. */
const documentsMax = 600;

export const documents: Check = {
  id: "documents",
  title: "whether links in its documents lead somewhere",
  weight: 1.5,
  scale: "size",
  async examine(tools) {
    const { survey, pace } = tools;
    const all = survey.files.filter(
      (file) =>
        file.language === "markdown" &&
        (file.role === "docs" || file.role === "example") &&
        !/^(\.changeset|changelog|history)|(^|\/)(CHANGELOG|HISTORY)\.md$/i.test(file.path),
    );
    if (all.length === 0) return notApplicable("no Markdown document");
    if (survey.noDocuments !== undefined) return unavailable(survey.noDocuments);
    const findings: Finding[] = [];
    let links = 0;
    const files = all.filter((file) => file.bytes <= documentBytesMax).slice(0, documentsMax);
    for (const file of files) {
      await pace.breathe();
      const document = await survey.document(file);
      if (document === undefined) continue;
      links += document.links.length;
      for (const link of document.links) {
        await pace.breathe();
        const problem = await problemOf(tools, file, document, link.target);
        if (problem !== undefined)
          findings.push({ ...problem, file: file.path, line: link.line, figure: link.target.slice(0, 200) });
      }
    }
    return measured(
      `${countOf(links, "link")} in ${countOf(files.length, "document")}${files.length < all.length ? ` of ${all.length}` : ""}`,
      findings,
    );
  },
};

type Problem = Pick<Finding, "rule" | "severity" | "message">;

async function problemOf(
  tools: Tools,
  file: ProjectFile,
  document: Document,
  target: string,
): Promise<Problem | undefined> {
  if (target === "" || /^([a-z][a-z0-9+.-]*:|\/\/|\/|<|\{|\$)/i.test(target) || /[{}<>$]|^\s|\s$/.test(target))
    return undefined;
  const [encoded = "", anchor = ""] = target.split("#", 2);
  const path = decode(encoded.split("?", 1)[0] ?? "");
  if (path === undefined) return undefined;
  if (path === "")
    return anchor === "" || hasAnchor(document, anchor)
      ? undefined
      : {
          rule: "user-experience/broken-anchor",
          severity: "low",
          message: "The link leads to a heading that is not in this document.",
        };
  const place = posix.normalize(posix.join(posix.dirname(file.path), path));
  // Outside the folder nothing is known; a site generator may serve pages under names without an ending.
  if (place.startsWith("../") || place === "..") return undefined;
  const here = await tools.survey.exists(place);
  if (!here) return await missingTarget(tools, file, place);
  const other = tools.survey.find(place);
  if (anchor === "" || other === undefined || other.language !== "markdown" || other.bytes > documentBytesMax)
    return undefined;
  const read = await tools.survey.document(other);
  return read === undefined || hasAnchor(read, anchor)
    ? undefined
    : {
        rule: "user-experience/broken-anchor",
        severity: "low",
        message: `The link leads to a heading that is not in ${place}.`,
      };
}

async function missingTarget({ survey }: Tools, file: ProjectFile, place: string): Promise<Problem | undefined> {
  const withoutEnding = !/\.[a-z0-9]{1,5}$/i.test(place);
  const siteLike = /(^|\/)(docs?|website|site|content)\//i.test(file.path);
  if (siteLike && (withoutEnding || /\.html?$/i.test(place))) return undefined;
  for (const ending of withoutEnding ? [".md", ".html", "/index.md", "/README.md"] : [])
    if (await survey.exists(`${place}${ending}`)) return undefined;
  // A published package carries its README but not the files around it.
  if (isPublished(survey)) return undefined;
  return {
    rule: "user-experience/broken-link",
    severity: "medium",
    message: "The link leads to a file that is not here.",
  };
}

function hasAnchor({ anchors }: Document, anchor: string): boolean {
  const wanted = (decode(anchor) ?? anchor).toLowerCase();
  if (/^(top|l\d+(-l?\d+)?|readme|:~:text=.*)$/.test(wanted)) return true;
  return [...anchors].some(
    (known) => known.toLowerCase() === wanted || known.toLowerCase() === `user-content-${wanted}`,
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
