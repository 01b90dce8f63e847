import type { Json } from "../../machines/failure.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Where log lines go. `fields` is JSON; secrets are the caller's to keep out. */
export interface Log {
  write(level: LogLevel, message: string, fields?: { readonly [key: string]: Json }): void;
}

/** Keeps nothing. */
export const silentLog: Log = { write() {} };

/** One JSON line per entry on standard error, so that standard output stays for results. */
export const stderrLog: Log = {
  write(level, message, fields) {
    process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  },
};
