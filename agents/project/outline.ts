import type { SyntaxNode, SyntaxTree } from "./syntax.ts";
import { type ImportFact, readImport } from "./imports.ts";

/** What the shape of one function tells. */
export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly endLine: number;
  /** Lines of its own: without those of functions written inside it. */
  readonly ownLines: number;
  /** Independent paths: 1 and one more per decision. Source: McCabe, "A Complexity Measure", 1976. */
  readonly cyclomatic: number;
  /** Cost of reading: decisions weigh more the deeper they are nested. Source: Campbell, "Cognitive Complexity", 2018. */
  readonly cognitive: number;
}

/** An await that runs once per turn of a loop of the same function. */
export interface AwaitInLoop {
  readonly line: number;
  readonly loopLine: number;
  /** "for-of", "for-in", "for", "while" or "do". */
  readonly loop: string;
  readonly text: string;
  /** The loop with its header, up to 4,000 characters. */
  readonly loopText: string;
}

/** Facts of one file that outlive its syntax tree. */
export interface Outline {
  readonly functions: readonly FunctionFact[];
  readonly awaitsInLoops: readonly AwaitInLoop[];
  readonly imports: readonly ImportFact[];
  /** Lines where the type `any` is written. */
  readonly anyLines: readonly number[];
  /** Deepest nest of loops within one function, and its innermost line. */
  readonly loopNest: { readonly depth: number; readonly line: number };
}

const functionKinds = [
  "function_declaration",
  "function_expression",
  "arrow_function",
  "method_definition",
  "generator_function",
  "generator_function_declaration",
];
const loopKinds = ["for_statement", "for_in_statement", "while_statement", "do_statement"];
const nestingKinds = [...loopKinds, "if_statement", "switch_statement", "catch_clause", "ternary_expression"];
const wanted = {
  rule: {
    any: [
      ...[
        ...functionKinds,
        ...nestingKinds,
        "switch_case",
        "await_expression",
        "import_statement",
        "export_statement",
      ].map((kind) => ({ kind })),
      { pattern: "$A && $B" },
      { pattern: "$A || $B" },
      { pattern: "$A ?? $B" },
      { pattern: "require($M)" },
      { pattern: "import($M)" },
    ],
  },
};
const anyType = { rule: { kind: "predefined_type", regex: "^any$" } };

interface Frame {
  readonly kind: string;
  readonly end: number;
  readonly line: number;
  readonly text: string;
  /** Where the repeated part of a loop begins. */
  readonly bodyStart: number;
  readonly owner: Building | undefined;
  /** Whether what is inside counts as nested deeper; an "else if" goes on at the depth of its "if". */
  readonly nests: boolean;
}

interface Building {
  readonly name: string;
  readonly line: number;
  readonly endLine: number;
  innerLines: number;
  cyclomatic: number;
  cognitive: number;
  nesting: number;
  logicalStart: number;
}

/** Reads the outline of a file in one pass over its tree. */
export function outlineOf(tree: SyntaxTree): Outline {
  const functions: Building[] = [];
  const imports: ImportFact[] = [];
  const awaitsInLoops: AwaitInLoop[] = [];
  const stack: Frame[] = [];
  let loopNest = { depth: 0, line: 1 };
  for (const node of tree.root.findAll(wanted)) {
    const { start, end } = node.range();
    while (stack.length > 0 && (stack[stack.length - 1] as Frame).end <= start.index) leave(stack);
    const kind = node.kind() as string;
    const owner = stack[stack.length - 1]?.owner;
    if (functionKinds.includes(kind)) {
      const made: Building = {
        name: nameOf(node, kind),
        line: start.line + 1,
        endLine: end.line + 1,
        innerLines: 0,
        cyclomatic: 1,
        cognitive: 0,
        nesting: 0,
        logicalStart: -1,
      };
      if (owner !== undefined) owner.innerLines += made.endLine - made.line;
      functions.push(made);
      stack.push({
        kind,
        end: end.index,
        line: made.line,
        text: "",
        bodyStart: start.index,
        owner: made,
        nests: false,
      });
    } else if (nestingKinds.includes(kind)) {
      const text = loopKinds.includes(kind) ? node.text().slice(0, 4_000) : "";
      const bodyStart = loopKinds.includes(kind)
        ? (node.field("body")?.range().start.index ?? start.index)
        : start.index;
      const nests = !isElseIf(tree.source.text, kind, start.index);
      if (owner !== undefined) count(owner, kind, nests);
      stack.push({ kind, end: end.index, line: start.line + 1, text, bodyStart, owner, nests });
      const depth = loopKinds.includes(kind) ? loopsAround(stack, start.index).length + 1 : 0;
      if (depth > loopNest.depth) loopNest = { depth, line: start.line + 1 };
    } else if (kind === "await_expression") {
      const loop = loopsAround(stack, start.index).at(-1);
      if (loop !== undefined && !loop.text.startsWith("for await")) {
        awaitsInLoops.push({
          line: start.line + 1,
          loopLine: loop.line,
          loop: loopName(loop),
          text: node.text().slice(0, 400),
          loopText: loop.text,
        });
      }
    } else if (kind === "import_statement" || kind === "export_statement" || kind === "call_expression") {
      const fact = readImport(node, kind);
      if (fact !== undefined) imports.push(fact);
    } else if (owner !== undefined) {
      owner.cyclomatic++;
      if (kind === "binary_expression" && owner.logicalStart !== start.index) owner.cognitive++;
      owner.logicalStart = start.index;
    }
  }
  const anyLines =
    tree.source.file.language === "javascript" || !tree.source.text.includes("any")
      ? []
      : tree.root.findAll(anyType).map((node) => node.range().start.line + 1);
  return { functions: functions.map(finish), awaitsInLoops, imports, anyLines, loopNest };
}

function leave(stack: Frame[]): void {
  const frame = stack.pop() as Frame;
  if (frame.owner !== undefined && frame.nests) frame.owner.nesting--;
}

function count(owner: Building, kind: string, nests: boolean): void {
  if (kind !== "switch_statement") owner.cyclomatic++;
  owner.cognitive += nests ? 1 + owner.nesting : 1;
  if (nests) owner.nesting++;
}

function isElseIf(text: string, kind: string, start: number): boolean {
  return kind === "if_statement" && /\belse\s*$/.test(text.slice(Math.max(0, start - 24), start));
}

/** Loops of the innermost function whose repeated part holds the offset, outermost first. */
function loopsAround(stack: readonly Frame[], offset: number): readonly Frame[] {
  const loops: Frame[] = [];
  for (let index = stack.length - 1; index >= 0; index--) {
    const frame = stack[index] as Frame;
    if (functionKinds.includes(frame.kind)) break;
    if (loopKinds.includes(frame.kind) && frame.bodyStart <= offset && frame.end > offset) loops.unshift(frame);
  }
  return loops;
}

function loopName(loop: Frame): string {
  if (loop.kind === "for_in_statement") return /^for\s*\([^()]*?\bof\b/.test(loop.text) ? "for-of" : "for-in";
  return loop.kind === "for_statement" ? "for" : loop.kind === "while_statement" ? "while" : "do";
}

function nameOf(node: SyntaxNode, kind: string): string {
  const own = node.field("name")?.text();
  if (own !== undefined) return own.slice(0, 80);
  if (kind === "arrow_function" || kind === "function_expression") {
    const parent = node.parent();
    const given = parent?.field("name") ?? parent?.field("key") ?? parent?.field("left");
    if (given !== null && given !== undefined) return given.text().slice(0, 80);
  }
  return "anonymous function";
}

function finish(made: Building): FunctionFact {
  const { name, line, endLine, cyclomatic, cognitive } = made;
  return { name, line, endLine, ownLines: Math.max(1, endLine - line + 1 - made.innerLines), cyclomatic, cognitive };
}
