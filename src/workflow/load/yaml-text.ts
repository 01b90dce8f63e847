import { isMap, isSeq, LineCounter, type Document, type Node, parseAllDocuments } from "yaml";
import { syntaxProblem, type DocumentPath, type SourceDocument, type SourceText } from "./source-text.ts";

/** Most aliases that one YAML document may expand: more is a bomb, not a definition. */
const yamlAliasesMax = 100;
/** Most documents in one YAML file. */
const yamlDocumentsMax = 100;

/** Where a part of a document begins; fields begin at their names. */
function findOffset(document: Document, path: DocumentPath): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String((key as { value?: unknown }).value ?? key) === String(part));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(part)];
      if (item === undefined) return offset;
      offset = (item as Node | null)?.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}

function sourceDocument(document: Document, lines: LineCounter): SourceDocument {
  return {
    value: document.toJS({ maxAliasCount: yamlAliasesMax }) as unknown,
    async lineOf(path) {
      const offset = findOffset(document, path);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
  };
}

/** Reads YAML 1.2, one document or several; a repeated field is an error. */
export function readYaml(text: string): SourceText {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const documents = "empty" in parsed ? [] : parsed;
  const error = documents.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) return syntaxProblem(`is no YAML: ${error.message}`, lines.linePos(error.pos[0]).line);
  if (documents.length === 0) return syntaxProblem("is empty; a definition needs a name and steps", 1);
  if (documents.length > yamlDocumentsMax)
    return syntaxProblem(`has ${documents.length} documents; one file takes ${yamlDocumentsMax}`, 1);
  try {
    return { documents: documents.map((document) => sourceDocument(document, lines)), problems: [] };
  } catch (error_) {
    // The parser refuses to expand aliases beyond the limit.
    return syntaxProblem(`is no YAML that is read: ${error_ instanceof Error ? error_.message : "unknown reason"}`, 1);
  }
}
