import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fillShell } from "./scene.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-shell-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, env: Record<string, string>): string {
  const done = spawnSync("/bin/sh", ["-c", command], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    encoding: "utf8",
  });
  return done.stdout;
}

const attacks = [
  "x; touch pwned",
  "$(touch pwned)",
  "`touch pwned`",
  "a && touch pwned",
  "a | touch pwned",
  "\n touch pwned",
  "'; touch pwned; '",
  '"; touch pwned; "',
  "> pwned",
  "& touch pwned &",
  "${IFS}touch${IFS}pwned",
  "*",
  "a  b",
  "-n",
  "\\",
  "$TROUPE_1",
];

describe("shell text", () => {
  test("a value is a reference to the environment, quoted as its place demands", () => {
    const given = { input: { a: "v" } };
    expect(fillShell("echo $.input.a", given)).toEqual({ command: 'echo "${TROUPE_1}"', env: { TROUPE_1: "v" } });
    expect(fillShell('echo "x ${$.input.a}"', given).command).toBe('echo "x ${TROUPE_1}"');
    expect(fillShell("echo 'x ${$.input.a}'", given).command).toBe("echo 'x '\"${TROUPE_1}\"''");
    expect(fillShell("echo $(dirname ${$.input.a}) > ${$.input.a}.log", given).command).toBe(
      'echo $(dirname "${TROUPE_1}") > "${TROUPE_2}".log',
    );
    expect(fillShell("$.input.a + ' -v ' + $.input.a", given).command).toBe('"${TROUPE_1}" -v "${TROUPE_2}"');
    expect(fillShell("`ls ${$.input.a}`", given).command).toBe('ls "${TROUPE_1}"');
    expect(fillShell("echo fixed ${HOME}", given)).toEqual({ command: "echo fixed ${HOME}", env: {} });
  });

  test("a command that is a value as a whole runs as one simple command", () => {
    const { command, env } = fillShell("$.input.a", { input: { a: "echo one *  two; touch pwned" } });
    expect(env).toEqual({ TROUPE_1: "echo one *  two; touch pwned" });
    expect(run(command, env)).toBe("one * two; touch pwned\n");
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  test.each(attacks)("no character of a value becomes syntax: %j", (value) => {
    for (const form of [
      "printf %s ${$.input.a}",
      'printf %s "${$.input.a}"',
      "printf %s '${$.input.a}'",
      'printf %s "$(printf %s ${$.input.a})"',
      "`printf %s ${$.input.a}`",
    ]) {
      const { command, env } = fillShell(form, { input: { a: value } });
      expect(command).not.toContain("pwned");
      expect(run(command, env).trim()).toBe(form.includes("$(") ? value.replace(/\n+$/, "").trim() : value.trim());
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["echo $((1 + ${$.input.a}))", /arithmetic/],
    ["eval echo ${$.input.a}", /eval/],
    ["sh -c 'echo ${$.input.a}'", /sh -c/],
    ["bash --norc -e -c 'echo ${$.input.a}'", /sh -c/],
    ['timeout 5 "/bin/sh" -ec "echo ${$.input.a}"', /sh -c/],
    ['$SHELL -c "echo ${$.input.a}"', /sh -c/],
    ["su nobody -c 'echo ${$.input.a}'", /sh -c/],
    ["ssh host echo ${$.input.a}", /ssh/],
    ["trap 'rm ${$.input.a}' EXIT", /trap/],
    ["cat <<EOF\n${$.input.a}\nEOF", /here-document/],
  ])("where a value would be read as syntax after all, the task fails: %s", (form, message) => {
    expect(() => fillShell(form, { input: { a: "x" } })).toThrow(message);
  });

  test("arguments of an inner shell are no syntax", () => {
    const { command, env } = fillShell("sh -c 'printf %s \"$1\"' _ ${$.input.a}", { input: { a: "$(touch pwned)" } });
    expect(run(command, env)).toBe("$(touch pwned)");
  });

  test("values of any characters pass through the environment unchanged", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.includes("\0")),
        (value) => {
          const { command, env } = fillShell('printf %s "${$.input.a}"', { input: { a: value } });
          expect(command).toBe('printf %s "${TROUPE_1}"');
          expect(env["TROUPE_1"]).toBe(value);
        },
      ),
    );
  });
});
