import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("./serve.ts", import.meta.url));
/** How long the other process has to begin to listen. */
const startMs = 15_000;
/** Clock ticks in a second, as /proc counts them. Source: proc(5), sysconf(_SC_CLK_TCK) on Linux. */
const ticksPerSecond = 100;

/** The other of the two processes. */
export interface Other extends Disposable {
  readonly child: ChildProcess;
  readonly port: number;
  /** CPU milliseconds that it has used; 0 where the system does not tell. */
  cpuMs(): number;
  /** Asks it for a figure: "rss" in bytes. */
  ask(what: string): Promise<number>;
}

/** Starts a process that serves what `name` says. Throws with its complaint when it does not come up. */
export async function startOther(name: string): Promise<Other> {
  process.env["TROUPE_BENCH_PAIR"] ??= `${process.pid}`;
  const flags = ["--min-semi-space-size=16", "--expose-gc", "--conditions=troupe-source", "--no-warnings"];
  const child = spawn(process.execPath, [...flags, file, name], { stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const limit = setTimeout(() => child.kill("SIGKILL"), startMs);
  let first = await lines.next();
  // A peer may have something to say before its port.
  while (first.done !== true && !/^\d+$/.test(first.value)) first = await lines.next();
  clearTimeout(limit);
  if (first.done === true) throw new Error(`${name} did not listen: ${complaint.trim().split("\n")[0] ?? ""}`);
  process.once("exit", () => child.kill("SIGKILL"));
  return {
    child,
    port: Number(first.value),
    cpuMs: () => cpuMsOf(child.pid),
    async ask(what) {
      child.stdin.write(`${what}\n`);
      return Number((await lines.next()).value);
    },
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

function cpuMsOf(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
  } catch {
    return 0;
  }
}

/** Ends the other process and waits for it. */
export async function endOther({ child }: Other): Promise<void> {
  // What it has started itself may hold its pipes open for longer.
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
