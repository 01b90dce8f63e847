import { concern, concernsMax, opinion, opinionLengthsMax, type Concern, type Opinion } from "./opinion.ts";

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text of so many UTF-16 units. */
export function isText(value: unknown, min: number, max: number): value is string {
  return typeof value === "string" && value.length >= min && value.length <= max;
}

function isSeverity(value: unknown): value is Concern["severity"] {
  return value === "low" || value === "medium" || value === "high" || value === "critical";
}

const concernFields: ReadonlySet<string> = new Set(Object.keys(concern.shape));
const opinionFields: ReadonlySet<string> = new Set(Object.keys(opinion.shape));

function hasOnly(value: object, fields: ReadonlySet<string>): boolean {
  for (const field in value) if (!fields.has(field)) return false;
  return true;
}

function readConcern(value: unknown): Concern | undefined {
  if (!isRecord(value) || !hasOnly(value, concernFields)) return undefined;
  const { file, figure, line, message, rule, severity = "medium" } = value;
  if (!isText(message, 1, opinionLengthsMax.message) || !isSeverity(severity)) return undefined;
  // In the order of the canonical form, which then has nothing to sort.
  const read: Partial<Concern> = {};
  if (file !== undefined) {
    if (!isText(file, 0, opinionLengthsMax.file)) return undefined;
    read.file = file;
  }
  if (figure !== undefined) {
    if (!isText(figure, 0, opinionLengthsMax.figure)) return undefined;
    read.figure = figure;
  }
  if (line !== undefined) {
    if (!Number.isSafeInteger(line) || (line as number) < 1) return undefined;
    read.line = line as number;
  }
  read.message = message;
  if (rule !== undefined) {
    if (!isText(rule, 0, opinionLengthsMax.rule)) return undefined;
    read.rule = rule;
  }
  read.severity = severity;
  return read as Concern;
}

function readConcerns(value: unknown): Concern[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > concernsMax) return undefined;
  const read: Concern[] = [];
  for (const item of value as readonly unknown[]) {
    const one = readConcern(item);
    if (one === undefined) return undefined;
    read.push(one);
  }
  return read;
}

/**
 * Reads an opinion of the usual form: one recommendation with its reasons. Undefined for any other form and for
 * everything malformed, which the schema `opinion` then reads or refuses. What this accepts, the schema accepts alike.
 */
export function readPlainOpinion(value: unknown): Opinion | undefined {
  if (!isRecord(value) || !hasOnly(value, opinionFields)) return undefined;
  const { recommendation, approves, ranking, grades, confidence, reasoning = "", concerns, alternatives } = value;
  if (approves !== undefined || ranking !== undefined || grades !== undefined) return undefined;
  if (
    !isText(recommendation, 1, opinionLengthsMax.recommendation) ||
    !isText(reasoning, 0, opinionLengthsMax.reasoning)
  )
    return undefined;
  if (confidence !== null && !(typeof confidence === "number" && confidence >= 0 && confidence <= 1)) return undefined;
  if (alternatives !== undefined && !(Array.isArray(alternatives) && alternatives.length === 0)) return undefined;
  const read = readConcerns(concerns);
  return read === undefined ? undefined : { recommendation, confidence, reasoning, concerns: read, alternatives: [] };
}
