import { type Check, countOf, type Finding, measured, notApplicable, unavailable } from "../check.ts";
import type { ProjectFile } from "../project/files.ts";
import { loadLibrary } from "../project/libraries.ts";

/** Longest page that is parsed, in characters; longer ones are generated. */
const pageCharactersMax = 131_072;
/** Pages that are examined, in the order of the survey. */
const pagesMax = 200;
/** Longest line of a page that people edit; beyond it the page comes from a program. */
const pageLineCharactersMax = 5_000;

interface Tag {
  readonly name: string;
  readonly text: string;
  readonly line: number;
}

export const accessibility: Check = {
  id: "accessibility",
  title: "whether its pages can be used by everyone",
  weight: 1,
  scale: "size",
  async examine({ survey, pace }) {
    const pages = survey.files
      .filter(
        (file) =>
          file.language === "html" &&
          (file.role === "source" || file.role === "docs") &&
          file.bytes <= pageCharactersMax,
      )
      .slice(0, pagesMax);
    const components = survey.files.filter(
      (file) => file.role === "source" && (file.language === "tsx" || file.path.endsWith(".jsx")),
    );
    if (pages.length + components.length === 0) return notApplicable("no page and no component");
    const grep = await loadLibrary("@ast-grep/napi");
    if (!grep.ok) return unavailable(grep.why);
    const { Lang, parse } = grep.exports;
    const findings: Finding[] = [];
    for (const file of pages) {
      await pace.breathe();
      const source = await survey.text(file);
      if (source === undefined || source.longestLine > pageLineCharactersMax) continue;
      const nodes = parse(Lang.Html, source.text)
        .root()
        .findAll({ rule: { any: [{ kind: "start_tag" }, { kind: "self_closing_tag" }] } });
      const tags = nodes.map((node): Tag => ({
        name: /^<\s*([\w-]+)/.exec(node.text())?.[1]?.toLowerCase() ?? "",
        text: node.text(),
        line: node.range().start.line + 1,
      }));
      findings.push(...findingsOfPage(file, tags, source.text));
    }
    for (const file of components) {
      await pace.breathe();
      const tree = await survey.tree(file);
      const nodes =
        tree?.root.findAll({
          rule: { any: [{ kind: "jsx_opening_element" }, { kind: "jsx_self_closing_element" }] },
        }) ?? [];
      for (const node of nodes) {
        const text = node.text();
        findings.push(
          ...findingsOfTag(file, {
            name: /^<\s*([\w.-]+)/.exec(text)?.[1] ?? "",
            text,
            line: node.range().start.line + 1,
          }),
        );
      }
    }
    return measured(`${countOf(pages.length, "page")}, ${countOf(components.length, "component file")}`, findings);
  },
};

function has(tag: Tag, attribute: RegExp): boolean {
  return new RegExp(`\\s(${attribute.source})(\\s|=|/?>|$)`, "i").test(tag.text) || /\{\s*\.\.\./.test(tag.text);
}

/** What one tag lacks, in HTML and JSX alike. A tag that spreads properties may have anything. */
export function findingsOfTag(file: ProjectFile, tag: Tag): readonly Finding[] {
  const place = { file: file.path, line: tag.line, figure: tag.text.replaceAll(/\s+/g, " ").slice(0, 120) };
  if (tag.name === "img" && !has(tag, /alt|aria-hidden|role|aria-label|:alt/)) {
    return [
      {
        rule: "user-experience/image-without-text",
        severity: "medium",
        message: 'The image has no alt text: who cannot see it learns nothing. Say alt="" if it only decorates.',
        ...place,
      },
    ];
  }
  if (
    /^(div|span|li|td)$/.test(tag.name) &&
    has(tag, /onclick/) &&
    !has(tag, /role|tabindex|onkeydown|onkeyup|onkeypress|aria-hidden/)
  ) {
    return [
      {
        rule: "user-experience/mouse-only",
        severity: "low",
        message: "Only a mouse can use this: make it a button.",
        ...place,
      },
    ];
  }
  if (tag.name === "iframe" && !has(tag, /title|aria-label|aria-hidden|hidden/)) {
    return [
      {
        rule: "user-experience/frame-without-title",
        severity: "low",
        message: "The frame has no title to announce.",
        ...place,
      },
    ];
  }
  return [];
}

/** What a page lacks as a whole, and its tags one by one. */
export function findingsOfPage(file: ProjectFile, tags: readonly Tag[], text: string): readonly Finding[] {
  const findings = tags.flatMap((tag) => findingsOfTag(file, tag));
  const root = tags.find(({ name }) => name === "html");
  if (root !== undefined && !has(root, /lang|xml:lang/))
    findings.push({
      rule: "user-experience/page-without-language",
      severity: "low",
      message: "The page does not say its language, so it is read out wrongly.",
      file: file.path,
      line: root.line,
      figure: root.text.slice(0, 120),
    });
  if (root !== undefined && /<head\b/i.test(text) && !/<title\b/i.test(text))
    findings.push({
      rule: "user-experience/page-without-title",
      severity: "low",
      message: "The page has no title.",
      file: file.path,
      line: root.line,
      figure: root.text.slice(0, 120),
    });
  return findings;
}
