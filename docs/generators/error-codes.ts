import { failureCodes, usageCodes, type RetryAdvice } from "../../machines/failure-codes.ts";
import { type Generator, writeTable } from "./generator.ts";

const retryWords = { now: "at once", later: "after a wait", never: "no: it would fail the same way" };

interface Code {
  readonly meaning: string;
  readonly fix: string;
  readonly retry: RetryAdvice;
}

function writeCodes(codes: { readonly [code: string]: Code }): string {
  return writeTable(
    ["code", "what happened", "what to do", "call again?"],
    Object.entries(codes).map(([code, row]) => [`\`${code}\``, row.meaning, row.fix, retryWords[row.retry]]),
  );
}

export const errorCodes: Generator = {
  file: "docs/errors.md",
  render: () => `# Error codes

Generated from \`machines/failure-codes.ts\` by \`npm run docs\`; change the table there. Codes are stable and never reused.

## Failures

The world did what worlds do. A failure is data: a call never rejects because of one, it ends with
\`{ ok: false, failure: { code, message, data, retry } }\`, the same in a process, over a link and in a journal.
An agent may also answer with a code of its own, of the form \`area/reason\`.

${writeCodes(failureCodes)}

## Usage errors

The caller broke the contract. They are thrown at the call as a \`TroupeError\`, with the value and the way out in the
message; recognise one with \`isTroupeError(error, code)\`.

${writeCodes(usageCodes)}
`,
};
