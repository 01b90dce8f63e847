import {
  minBallotsMax,
  nameLengthMax,
  optionsMax,
  questionLengthMax,
  roundNumberMax,
  type ProposalBody,
} from "../../machines/consensus/codec/messages.ts";
import type { Share } from "../../machines/consensus/electorate/threshold.ts";
import { optionLabelLengthMax, type DecisionQuestion } from "./opinion/opinion.ts";
import { isText } from "./opinion/plain-opinion.ts";

/** A raw public key in hex. */
const coordinatorForm = /^[0-9a-f]{64}$/;

function isId(value: unknown): boolean {
  return isText(value, 1, nameLengthMax) && value.isWellFormed();
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function isExact({ strict }: Share): boolean {
  return typeof strict === "boolean";
}

/**
 * Whether a proposal built here, of the usual form, fits its schema: what a caller chose is looked at, and not what was
 * computed or checked before, such as digests, the terms of shares, basis points and the names of methods. False for any
 * other form and for everything malformed, which `proposalSchema` then reads or refuses. By hand, since the schema's
 * code is out of the processor's caches once per decision: 90 us with 16 voters. Source: docs/decisions/0018.
 */
export function isPlainProposal(built: ProposalBody): boolean {
  const { closing, defaultOption, decisionId, minBallots, options, participation, question, round, threshold } = built;
  return (
    built.boxKey === undefined &&
    built.commitClosesAt === undefined &&
    isExact(threshold) &&
    isExact(participation) &&
    (threshold.of === "registered" || threshold.of === "cast") &&
    coordinatorForm.test(built.coordinator) &&
    (closing === "coordinator" || closing === "none" || closing === "commit") &&
    isWhole(built.closesAt, 0, Number.MAX_SAFE_INTEGER) &&
    isId(decisionId) &&
    (defaultOption === null || isId(defaultOption)) &&
    isWhole(minBallots, 1, minBallotsMax) &&
    options.length >= 1 &&
    options.length <= optionsMax &&
    options.every(({ id }) => isId(id)) &&
    isText(question, 0, questionLengthMax) &&
    question.isWellFormed() &&
    isWhole(round, 1, roundNumberMax)
  );
}

/** A question as its asker writes it. */
interface Asked {
  readonly decisionId: string;
  readonly description: string;
  readonly options: readonly {
    readonly id: string;
    readonly label?: unknown;
    readonly folder?: unknown;
    readonly payload?: unknown;
  }[];
  readonly context: unknown;
  readonly constraints: unknown;
}

type Choice = DecisionQuestion["options"][number];

function readChoices(options: Asked["options"]): Choice[] | undefined {
  const read: Choice[] = [];
  for (const { id, label, folder, payload } of options) {
    if (!isText(id, 1, nameLengthMax) || payload !== undefined) return undefined;
    const choice: Choice = { id };
    if (label !== undefined) {
      if (!isText(label, 0, optionLabelLengthMax)) return undefined;
      choice.label = label;
    }
    if (folder !== undefined) {
      if (typeof folder !== "string") return undefined;
      choice.folder = folder;
    }
    read.push(choice);
  }
  return read;
}

/**
 * Reads a question without payloads, context or constraints, as its schema would. Undefined for any other and for
 * everything malformed, which `decisionQuestion` then reads or refuses.
 */
export function readPlainQuestion(asked: Asked): DecisionQuestion | undefined {
  const { decisionId, description, options, context, constraints } = asked;
  if (context !== undefined || constraints !== undefined) return undefined;
  if (!isText(decisionId, 0, nameLengthMax) || !isText(description, 0, questionLengthMax)) return undefined;
  if (options.length === 0 || options.length > optionsMax) return undefined;
  const choices = readChoices(options);
  return choices && { decisionId, description, options: choices, context: {}, constraints: [] };
}
