import { readFileSync } from "node:fs";

/** Dice of one seed. */
export interface Dice {
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

export function diceOf(random: { next(): number }): Dice {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return { below, pick: (items) => items[below(items.length)]! };
}

/** Real frames of every kind, which the mutations begin with. */
export const realFrames: readonly string[] = readFileSync(new URL("../fixtures/wire/v1.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "");

const oddValues: readonly unknown[] = [
  null,
  true,
  -1,
  -0,
  0.5,
  2 ** 53,
  1e308,
  "",
  "x".repeat(300),
  "x".repeat(5_000),
  "\ud800",
  "\u0000",
  "__proto__",
  "constructor",
  [],
  {},
  [[[]]],
  { toString: 1, hasOwnProperty: 2 },
  { $: "bigint", v: "1" },
];

const oddTexts: readonly string[] = [
  '{"__proto__":{"admin":true}}',
  '"\\u005f_proto__":1,',
  "[".repeat(100),
  "[".repeat(30_000),
  '{"a":'.repeat(100),
  "1e999",
  "-0",
  "9007199254740993",
  "NaN",
  '"\\ud800"',
  "\u0000",
  "\\",
  '"',
  "}",
  ",",
];

/** Puts another value at a random place of a parsed frame. */
function changeValue(value: unknown, dice: Dice): unknown {
  if (typeof value !== "object" || value === null || dice.below(4) === 0) return dice.pick(oddValues);
  if (Array.isArray(value)) {
    if (value.length === 0) return [dice.pick(oddValues)];
    const at = dice.below(value.length);
    if (dice.below(6) === 0) return Array.from({ length: 200 }, () => value[at] as unknown);
    return value.map((item, index) => (index === at ? changeValue(item, dice) : (item as unknown)));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return { odd: dice.pick(oddValues) };
  const at = dice.below(entries.length);
  if (dice.below(5) === 0) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(
    entries.map(([key, item], index) => (index === at ? [key, changeValue(item, dice)] : [key, item])),
  );
}

function changeText(text: string, dice: Dice): string {
  const [from, length] = [dice.below(text.length), 1 + dice.below(20)];
  switch (dice.below(5)) {
    case 0:
      return text.slice(0, from) + String.fromCharCode(dice.below(256)) + text.slice(from + 1);
    case 1:
      return text.slice(0, from) + text.slice(from + length);
    case 2:
      return text.slice(0, from) + text.slice(from, from + length).repeat(1 + dice.below(50)) + text.slice(from);
    case 3:
      return text.slice(0, from) + dice.pick(oddTexts) + text.slice(from);
    default:
      return text.slice(0, from);
  }
}

/** A frame that was real once. Now and then it is left as it was. */
export function mutateFrame(frame: string, dice: Dice): string {
  let text = frame;
  if (dice.below(2) === 0) text = JSON.stringify(changeValue(JSON.parse(frame), dice));
  for (let changes = dice.below(3); changes > 0 && text.length > 0; changes -= 1) text = changeText(text, dice);
  return text;
}
