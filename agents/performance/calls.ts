import { type Check, countOf, type Examination, type Finding, measured, type Tools } from "../check.ts";
import { codeLines, type LineRule, scanLines } from "../line-scan.ts";
import { treeFiles } from "../project/files.ts";
import type { Outline } from "../project/outline.ts";
import type { SyntaxNode } from "../project/syntax.ts";
import { scanSyntax, type SyntaxRule } from "../syntax-scan.ts";

const blocking =
  /(^|\.)(readFileSync|writeFileSync|appendFileSync|readdirSync|copyFileSync|cpSync|rmSync|execSync|execFileSync|spawnSync|gzipSync|gunzipSync|deflateSync|inflateSync|brotliCompressSync|pbkdf2Sync|scryptSync)$/;
const slowWord =
  /\b(fetch|axios|got|readFile|writeFile|stat|unlink|copyFile|query|findOne|findMany|findUnique|findById|request|upload|download|sendMail)\b\s*[.(<]/;
const limited = /\b(limit|pLimit|throttle|semaphore|queue|pool|chunk|batch|slice|concurrency)\b/i;

function functionAround(node: SyntaxNode): SyntaxNode | undefined {
  return node
    .ancestors()
    .find((ancestor) =>
      /^(function_declaration|function_expression|arrow_function|method_definition|generator_function(_declaration)?)$/.test(
        ancestor.kind() as string,
      ),
    );
}

function servesRequests(text: string): boolean {
  return /^(async\s+)?(function\s*\w*\s*)?\(\s*(_?req(uest)?|ctx)\s*(:\s*[\w.<>]+\s*)?,\s*(_?res(ponse)?|next|reply)\b/.test(
    text,
  );
}

/** Whether the file says that a name is a list whose length is not fixed: by its type, or by what made it. */
function isGrowingList(name: string, text: string): boolean {
  const safe = name.replaceAll("$", "\\$");
  const typed = new RegExp(`\\b${safe}\\??:\\s*(readonly\\s+)?(Array<|ReadonlyArray<|[\\w.]+\\[\\])`).test(text);
  const made = new RegExp(
    `\\b(const|let|var)\\s+${safe}\\s*=\\s*[^;\\n]*(\\.(filter|map|split|flatMap|concat|slice)\\(|Object\\.(keys|values)\\()`,
  ).test(text);
  return (typed || made) && !new RegExp(`\\b${safe}\\s*(:\\s*[^=\\n]+)?=\\s*new (Set|Map)\\b`).test(text);
}

/** Rules over single matches of the syntax tree. */
export const performanceSyntaxRules: readonly SyntaxRule[] = [
  {
    id: "performance/blocking-call",
    severity: "medium",
    message: "A blocking call inside asynchronous work stops every other request meanwhile: use the asynchronous form.",
    hint: /Sync\s*\(/,
    match: { kind: "call_expression" },
    confirm(node) {
      if (!blocking.test(node.field("function")?.text() ?? "")) return false;
      const around = functionAround(node)?.text() ?? "";
      return (
        /^(export\s+)?(default\s+)?(public\s+|private\s+|static\s+)*async\b/.test(around) || servesRequests(around)
      );
    },
  },
  {
    id: "performance/copy-per-step",
    severity: "medium",
    message:
      "Each step of the reduction copies all that came before: time grows with the square of the length. Add to one accumulator.",
    hint: /\.reduce\s*\(/,
    match: {
      any: [
        { pattern: "$LIST.reduce(($ACC, $$$REST) => ({ ...$ACC, $$$FIELDS }), $$$START)" },
        { pattern: "$LIST.reduce(($ACC, $$$REST) => [...$ACC, $$$ITEMS], $$$START)" },
        { pattern: "$LIST.reduce(($ACC, $$$REST) => $ACC.concat($$$ITEMS), $$$START)" },
      ],
    },
  },
  {
    id: "performance/search-in-search",
    severity: "low",
    message: "A list is searched once for every element of another: time grows with the product. Make a Set first.",
    hint: /\.(includes|indexOf)\s*\(/,
    match: {
      any: [
        { pattern: "$OUTER.filter(($ITEM) => !$LIST.includes($ITEM))" },
        { pattern: "$OUTER.filter(($ITEM) => $LIST.includes($ITEM))" },
        { pattern: "$OUTER.filter(($ITEM) => $LIST.indexOf($ITEM) === -1)" },
        { pattern: "$OUTER.filter($ITEM => !$LIST.includes($ITEM))" },
        { pattern: "$OUTER.filter($ITEM => $LIST.includes($ITEM))" },
      ],
    },
    confirm(node, { text }) {
      const list = node.getMatch("LIST");
      return list !== null && list.kind() === "identifier" && isGrowingList(list.text(), text);
    },
  },
  {
    id: "performance/slow-distinct",
    severity: "low",
    message: "Distinct values are found by searching from the start each time: use a Set.",
    hint: /\.indexOf\s*\(/,
    match: {
      any: [
        { pattern: "$LIST.filter(($ITEM, $INDEX) => $LIST.indexOf($ITEM) === $INDEX)" },
        { pattern: "$LIST.filter(($ITEM, $INDEX, $ALL) => $ALL.indexOf($ITEM) === $INDEX)" },
      ],
    },
  },
  {
    id: "performance/copy-by-text",
    severity: "low",
    message: "A value is copied by way of text, which is slow and loses dates and undefined: use structuredClone.",
    hint: /JSON\.parse\s*\(\s*JSON\.stringify/,
    match: { pattern: "JSON.parse(JSON.stringify($VALUE))" },
  },
  {
    id: "performance/unbounded-parallel",
    severity: "low",
    message: "One operation per element is started at once, however many there are: give it a limit.",
    hint: /Promise\.all/,
    match: {
      any: [{ pattern: "Promise.all($LIST.map($CALLBACK))" }, { pattern: "Promise.allSettled($LIST.map($CALLBACK))" }],
    },
    confirm(node) {
      const list = node.getMatch("LIST");
      const text = node.text();
      return list !== null && list.kind() !== "array" && slowWord.test(text) && !limited.test(text);
    },
  },
  {
    id: "performance/sort-for-one",
    severity: "low",
    message: "A whole list is sorted to take one element: one pass finds it.",
    hint: /\.sort\s*\(/,
    match: { any: [{ pattern: "$LIST.sort($$$ORDER)[0]" }, { pattern: "$LIST.toSorted($$$ORDER)[0]" }] },
  },
  {
    id: "performance/timer-never-cleared",
    severity: "medium",
    message: "The interval's handle is thrown away, so it can never be cleared.",
    hint: /setInterval\s*\(/,
    match: { kind: "expression_statement", has: { pattern: "setInterval($$$ARGUMENTS)", stopBy: "neighbor" } },
    confirm: (node) => /^(window\.|globalThis\.)?setInterval/.test(node.text()),
  },
  {
    id: "performance/effect-without-cleanup",
    severity: "medium",
    message:
      "An effect adds a listener or an interval and never takes it away: each run of the component adds one more.",
    hint: /useEffect\s*\(/,
    match: {
      any: [
        { pattern: "useEffect(() => $BODY, $$$DEPENDENCIES)" },
        { pattern: "React.useEffect(() => $BODY, $$$DEPENDENCIES)" },
      ],
    },
    confirm(node) {
      const body = node.getMatch("BODY")?.text() ?? "";
      return /\.addEventListener\s*\(|\bsetInterval\s*\(/.test(body) && !/\breturn\b|\bonce:\s*true|signal/.test(body);
    },
  },
];

const query =
  /\b(db|database|prisma|knex|pool|client|conn|connection|repo|repository|model|models|collection|sequelize|orm|em|sql|tx|trx)\b[\w.]*\.(query|execute|find\w*|select|insert\w*|update\w*|delete\w*|save|create|count|get|first|aggregate|upsert)\s*\(/i;
const network = /^await\s+(fetch|axios(\.\w+)?|got(\.\w+)?)\s*\(/;
const ordered =
  /\b(break|return|throw|sleep|delay|setTimeout|retry|retries|attempt|cursor|nextPage|page|offset|transaction|tx|trx|sequential|yield|emit|signal)\b/;

/** Waits inside loops that need not wait for each other, and nests of loops. */
export function findingsOfOutline(file: string, { awaitsInLoops, loopNest }: Outline): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { line, loop, text, loopText } of awaitsInLoops) {
    if (loop !== "for-of" && loop !== "for-in") continue;
    const place = { file, line, figure: text.split("\n", 1)[0]?.slice(0, 90) ?? "" };
    if (query.test(text) && !ordered.test(loopText)) {
      findings.push({
        rule: "performance/query-in-loop",
        severity: "medium",
        message: "One query per element: ask once for all of them.",
        ...place,
      });
    } else if (network.test(text) && !ordered.test(loopText) && loopText.split("await ").length === 2) {
      findings.push({
        rule: "performance/requests-in-turn",
        severity: "low",
        message: "Requests wait for each other although they are independent: send a few at a time.",
        ...place,
      });
    }
  }
  if (loopNest.depth >= deepNest) {
    findings.push({
      rule: "performance/nested-loops",
      severity: "low",
      message: "Loops within loops: time may grow with a high power of the input.",
      file,
      line: loopNest.line,
      figure: `${loopNest.depth} loops deep`,
    });
  }
  return findings;
}

/** Loops nested this deep are rarely over small fixed ranges all. */
const deepNest = 4;

export const slowCalls: Check = {
  id: "slow-calls",
  title: "slow calls in JavaScript and TypeScript",
  weight: 3,
  scale: "size",
  async examine(tools) {
    const scanned = await scanSyntax(tools, performanceSyntaxRules);
    if (scanned.state !== "measured") return scanned;
    const findings = [...scanned.findings];
    let loops = 0;
    for (const file of treeFiles(tools.survey.files)) {
      await tools.pace.breathe();
      const outline = await tools.survey.outline(file);
      if (outline === undefined) continue;
      loops += outline.awaitsInLoops.length;
      findings.push(...findingsOfOutline(file.path, outline));
    }
    return measured(`${scanned.figure}, ${countOf(loops, "wait")} in loops`, findings, scanned.share);
  },
};

export const performanceLineRules: readonly LineRule[] = [
  {
    id: "performance/row-by-row",
    languages: ["python"],
    severity: "medium",
    message: "A table is walked row by row: work on whole columns.",
    pattern: /\.iterrows\(\)/,
  },
  {
    id: "performance/length-per-step",
    languages: ["c", "c++"],
    severity: "medium",
    message: "The length is counted anew at each step: time grows with its square.",
    pattern: /\bfor\s*\([^;]*;[^;]*<\s*strlen\s*\(/,
  },
  {
    id: "performance/pattern-per-call",
    languages: ["go"],
    severity: "low",
    message: "The pattern is compiled at each call: compile it once.",
    pattern: /^\s+.*\bregexp\.MustCompile\(\s*["`]/,
  },
];

const pythonBlocking =
  /\b(time\.sleep|requests\.(get|post|put|patch|delete|head|request)|urllib\.request\.urlopen|subprocess\.(run|call|check_call|check_output))\s*\(/;

export const slowLines: Check = {
  id: "slow-lines",
  title: "slow calls in other languages",
  weight: 2,
  scale: "size",
  async examine(tools) {
    const scanned = await scanLines(tools, performanceLineRules);
    return scanned.state === "measured" ? await withBlockingPython(tools, scanned) : scanned;
  },
};

async function withBlockingPython(
  { survey, pace }: Tools,
  scanned: Extract<Examination, { state: "measured" }>,
): Promise<Examination> {
  const findings = [...scanned.findings];
  for (const file of survey.files) {
    if (file.role !== "source" || file.language !== "python") continue;
    await pace.breathe();
    const source = await survey.text(file);
    if (source === undefined || !source.text.includes("async def")) continue;
    findings.push(...blockingInCoroutines(file.path, codeLines(source)));
  }
  return measured(scanned.figure, findings, scanned.share);
}

/** Blocking calls in the body of a coroutine, told by indentation. */
export function* blockingInCoroutines(file: string, lines: Iterable<readonly [number, string]>): Generator<Finding> {
  const open: { indent: number; coroutine: boolean }[] = [];
  for (const [line, raw] of lines) {
    const indent = raw.search(/\S/);
    while (open.length > 0 && indent <= (open.at(-1)?.indent ?? 0)) open.pop();
    const header = /^\s*(async\s+)?def\s/.exec(raw);
    if (header !== null) open.push({ indent, coroutine: header[1] !== undefined });
    else if (
      open.at(-1)?.coroutine === true &&
      pythonBlocking.test(raw) &&
      !/\bawait\b|to_thread|run_in_executor|lambda/.test(raw)
    ) {
      yield {
        rule: "performance/blocking-call",
        severity: "high",
        message: "A blocking call inside a coroutine stops every other one meanwhile.",
        file,
        line,
        figure: raw.trim().slice(0, 90),
      };
    }
  }
}
