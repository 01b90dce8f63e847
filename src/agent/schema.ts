import { z } from "zod";
import type { Json } from "../../machines/failure.ts";

/** A problem with one value, as plain data. */
export interface Issue {
  readonly path: string;
  readonly message: string;
  readonly [key: string]: Json;
}

/** What a check gave: the value as the schema makes it, or the error to ask for its issues. Zod's own result is one. */
export type Parsed =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: z.ZodError };

/** Most issues reported of one value; the rest is left out. */
const issuesMax = 20;

/** The issues of a failed check as plain data. */
export function issuesOf(error: z.ZodError): readonly Issue[] {
  return error.issues
    .slice(0, issuesMax)
    .map((issue) => ({ path: issue.path.map(String).join("."), message: issue.message }));
}

/** Checks values against a schema; goes over to asynchronous checking for good once the schema turns out to need it. */
export class Checker {
  readonly #schema: z.ZodType;
  #isAsync = false;

  constructor(schema: z.ZodType) {
    this.#schema = schema;
  }

  check(value: unknown): Parsed | Promise<Parsed> {
    if (!this.#isAsync) {
      try {
        return this.#schema.safeParse(value);
      } catch (thrown) {
        if (!(thrown instanceof z.core.$ZodAsyncError)) throw thrown;
        this.#isAsync = true;
      }
    }
    return this.#schema.safeParseAsync(value);
  }
}
