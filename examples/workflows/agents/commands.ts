import { spawn } from "node:child_process";
import { once } from "node:events";
import { defineAgent } from "troupe";
import { z } from "zod";

/** Most characters of output that are kept, from the end. */
const outputMax = 20_000;

/** Runs shell commands. Values of a workflow arrive in `env` and are never read as shell syntax. */
export const commands = defineAgent({
  name: "commands",
  concurrency: 4,
  capabilities: {
    "command.run": {
      shell: ["command"],
      breaker: false,
      input: z.object({ folder: z.string(), command: z.string(), env: z.record(z.string(), z.string()).default({}) }),
      output: z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }),
      async run({ input: { folder, command, env }, signal, fail }) {
        // A test runner that is itself under a test runner would report to that one.
        const { NODE_TEST_CONTEXT: _context, ...own } = process.env;
        const child = spawn("/bin/sh", ["-c", command], {
          cwd: folder,
          env: { ...own, ...env },
          signal,
          stdio: ["ignore", "pipe", "pipe"],
        });
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout = (stdout + text).slice(-outputMax)));
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-outputMax)));
        const [code] = (await once(child, "close")) as [number | null];
        if (code !== 0)
          return fail("command/failed", `"${command}" ended with ${code ?? "a signal"}`, { stdout, stderr });
        return { code, stdout, stderr };
      },
    },
  },
});
