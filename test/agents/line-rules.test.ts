import { describe, expect, it } from "vitest";
import { codeLines, type LineRule } from "../../agents/line-scan.ts";
import { blockingInCoroutines, performanceLineRules, slowLines } from "../../agents/performance/calls.ts";
import { findExplosion, loadPatternParser } from "../../agents/performance/patterns.ts";
import { dangerousLines, securityLineRules } from "../../agents/security/lines.ts";
import { findingsOf, survey, makeProject } from "./scene.ts";

interface Case {
  readonly rule: LineRule;
  readonly bad: string;
  readonly good: string;
}

const endings: Readonly<Record<string, string>> = {
  python: "py",
  c: "c",
  "c++": "cc",
  go: "go",
  shell: "sh",
  perl: "pl",
  ruby: "rb",
  php: "php",
};
const samples: readonly (readonly [bad: string, good: string])[] = [
  ["result = eval(text)", "# eval(text)\nresult = literal_eval(text)"],
  ["subprocess.run(command, shell=True)", 'subprocess.run(["ls", name])'],
  ['os.system("rm " + name)', 'os.system("clear")'],
  ["data = pickle.loads(body)", 'label = "pickle"'],
  ["import yaml\nyaml.load(body)", "import yaml\nyaml.load(body, Loader=yaml.SafeLoader)"],
  ["requests.get(url, verify=False)", "requests.get(url, verify=True)"],
  ["h = hashlib.md5(body)", "h = hashlib.md5(body, usedforsecurity=False)"],
  ["name = tempfile.mktemp()", "handle, name = tempfile.mkstemp()"],
  ["  strcpy(target, source);", "  strncpy(target, source, sizeof target);"],
  ["\tc := &tls.Config{InsecureSkipVerify: true}", "\tc := &tls.Config{InsecureSkipVerify: false}"],
  ['\texec.Command("sh", "-c", command)', '\texec.Command("ls", "-l")'],
  ["curl -s https://example.org/x | sh", "curl -s https://example.org/x > x"],
  ["chmod 777 /srv", "chmod 755 /srv"],
  ['system("rm $file");', 'system("rm", $file);'],
  ['eval "$code";', "eval { risky() };"],
  ["Marshal.load(body)", "JSON.parse(body)"],
  ['eval($_GET["x"]);', 'echo htmlspecialchars($_GET["x"]);'],
];
const cases: readonly Case[] = securityLineRules.map((rule, index) => ({
  rule,
  bad: samples[index]?.[0] ?? "",
  good: samples[index]?.[1] ?? "",
}));
const slow: readonly Case[] = [
  ["for i, row in table.iterrows():", "for row in table.itertuples():"],
  ["for (i = 0; i < strlen(s); i++) {", "for (i = 0; i < n; i++) {"],
  ['\tre := regexp.MustCompile("a+")', 'var re = regexp.MustCompile("a+")'],
].map(([bad = "", good = ""], index) => ({ rule: performanceLineRules[index] as LineRule, bad, good }));

describe("rules over lines", () => {
  it("has a sample for every rule", () => {
    expect(samples).toHaveLength(securityLineRules.length);
    expect(slow.map(({ rule }) => rule)).toEqual(performanceLineRules);
  });

  it.each([...cases, ...slow])("$rule.id in $rule.languages finds: $bad", async ({ rule, bad }) => {
    const path = `main.${endings[rule.languages[0] ?? ""] ?? ""}`;
    const check = rule.id.startsWith("security") ? dangerousLines : slowLines;
    const found = await findingsOf(check, { [path]: `\n${bad}\n` });
    expect(found).toContainEqual(
      expect.objectContaining({ rule: rule.id, file: path, line: 1 + bad.split("\n").length }),
    );
  });

  it.each([...cases, ...slow])("$rule.id in $rule.languages lets pass: $good", async ({ rule, good }) => {
    const path = `main.${endings[rule.languages[0] ?? ""] ?? ""}`;
    const check = rule.id.startsWith("security") ? dangerousLines : slowLines;
    expect((await findingsOf(check, { [path]: `${good}\n` })).filter((finding) => finding.rule === rule.id)).toEqual(
      [],
    );
  });

  it("leaves out Python's documentation strings and comments, and keeps the numbers of lines right", async () => {
    const opened = await survey(
      makeProject({ "a.py": 'def f():\n    """First\n    eval(x)\n    """\n    # eval(y)\n    return 1\n' }),
    );
    const source = await opened.text(opened.files[0] as never);
    expect(source === undefined ? [] : [...codeLines(source)]).toEqual([
      [1, "def f():"],
      [6, "    return 1"],
    ]);
  });

  it("finds blocking calls in coroutines, not in the functions beside or inside them", () => {
    const lines = [
      "async def a():",
      "    time.sleep(1)",
      "    def inner():",
      "        time.sleep(2)",
      "    await asyncio.to_thread(time.sleep, 3)",
      "def b():",
      "    time.sleep(4)",
    ];
    const found = [
      ...blockingInCoroutines(
        "a.py",
        lines.map((line, index) => [index + 1, line] as const),
      ),
    ];
    expect(found.map(({ line }) => line)).toEqual([2]);
  });
});

describe("patterns that can hang", () => {
  it.each([
    "/(a+)+$/",
    "/^(\\w+\\s?)*$/",
    "/(a|a)*b/",
    "/(.|\\s)*x/",
    '/"(?:[^"\\\\]+|\\\\.)*"/',
    "/^(([a-z])+.)+[A-Z]([a-z])+$/",
  ])("names %s", async (literal) => {
    const parse = await loadPatternParser();
    expect(typeof parse === "string" ? undefined : findExplosion(parse(literal))).toBeTypeOf("string");
  });

  it.each([
    "/(a+)+/",
    "/^a+$/",
    "/(ab+)+$/",
    "/(\\w+\\.)*$/",
    "/([^,]+,)*$/",
    '/(?:[^"\\\\]|\\\\.)*"/',
    "/(a|b)*c/",
    "/(\\d{1,3}\\.){3}\\d{1,3}/",
    "/^[\\w.]+@[\\w.]+$/",
    "/(?:\\s*,\\s*\\w)*$/",
    "/(?:.|\\n)*x/",
  ])("lets %s pass", async (literal) => {
    const parse = await loadPatternParser();
    expect(typeof parse === "string" ? "no parser" : findExplosion(parse(literal))).toBeUndefined();
  });
});
