import type { Writable } from "node:stream";

/**
 * Hears when a result cannot be written. A reader that went away (`| head`) has seen what it wanted; anything else, a
 * full disk for one, is said on the other stream, and the command ends with 1.
 */
export function guardOutput(stdout: Writable, stderr: Writable): void {
  if (stdout.listenerCount("error") > 0) return;
  stdout.on("error", (problem: NodeJS.ErrnoException) => {
    if (problem.code === "EPIPE") return;
    stderr.write(`troupe: the result could not be written: ${problem.message}\n`);
    process.once("exit", () => (process.exitCode = 1));
  });
  // Who cannot be told is not told.
  stderr.on("error", () => undefined);
}
