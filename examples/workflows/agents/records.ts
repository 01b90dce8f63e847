import { defineAgent } from "troupe";
import { z } from "zod";

const record = z.record(z.string(), z.string());

/** Splits one line of CSV. Source: RFC 4180. */
function splitLine(line: string): string[] {
  const fields = [""];
  let isQuoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '"' && isQuoted && line.charAt(at + 1) === '"') {
      fields[fields.length - 1] += '"';
      at += 1;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (char === "," && !isQuoted) fields.push("");
    else fields[fields.length - 1] += char;
  }
  return fields;
}

/** Reads records from CSV, checks them one by one, and sums them up. */
export const records = defineAgent({
  name: "records",
  concurrency: 8,
  capabilities: {
    "records.parse": {
      idempotent: true,
      input: z.object({ text: z.string() }),
      output: z.array(z.object({ line: z.number(), record })),
      run({ input: { text }, fail }) {
        const [head = "", ...lines] = text.replace(/\r/g, "").split("\n");
        const names = splitLine(head);
        if (names.length < 2) return fail("records/no-header", "the first line names no columns");
        return lines.flatMap((line, at) => {
          if (line.trim() === "") return [];
          const fields = splitLine(line);
          return [
            { line: at + 2, record: Object.fromEntries(names.map((name, index) => [name, fields[index] ?? ""])) },
          ];
        });
      },
    },
    "records.check": {
      idempotent: true,
      breaker: false,
      input: z.object({ line: z.number(), record, amount: z.string() }),
      output: z.object({ line: z.number(), amount: z.number() }),
      run({ input: { line, record: given, amount }, fail }) {
        const text = given[amount] ?? "";
        const value = Number(text);
        if (text === "" || !Number.isFinite(value))
          return fail("records/bad-amount", `line ${line}: "${text}" is no ${amount}`, { line });
        return { line, amount: value };
      },
    },
    "records.sum": {
      idempotent: true,
      /** `null` stands for a record that was left out. */
      input: z.object({ checked: z.array(z.object({ line: z.number(), amount: z.number() }).nullable()) }),
      output: z.object({ count: z.number(), total: z.number(), mean: z.number(), rejected: z.number() }),
      run({ input: { checked } }) {
        const amounts = checked.flatMap((one) => (one === null ? [] : [one.amount]));
        const total = amounts.reduce((sum, amount) => sum + amount, 0);
        const mean = amounts.length === 0 ? 0 : total / amounts.length;
        return { count: amounts.length, total, mean, rejected: checked.length - amounts.length };
      },
    },
  },
});
