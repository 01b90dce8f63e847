import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rootFolder } from "../house/source-files.ts";
import type { Mutant } from "./mutants.ts";

/** What the simulator needs of the house. */
const simulatorParts = ["package.json", "machines/consensus", "src/testing", "src/ports"];

interface NodeRun {
  readonly status: number | null;
  readonly out: string;
  readonly problem: string;
}

async function runNode(argv: readonly string[]): Promise<NodeRun> {
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let [out, problem] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (problem += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, out, problem };
}

/** A copy of parts of the house, first of all the simulator, in a temporary folder, in which code can be changed. */
export class MutatedHouse implements Disposable {
  readonly #folder: string;

  constructor(mutant: Pick<Mutant, "name" | "edits">, parts: readonly string[] = simulatorParts) {
    this.#folder = mkdtempSync(join(tmpdir(), `troupe-mutant-${mutant.name}-`));
    for (const part of parts) cpSync(join(rootFolder, part), join(this.#folder, part), { recursive: true });
    symlinkSync(join(rootFolder, "node_modules"), join(this.#folder, "node_modules"), "dir");
    for (const { file, find, replace } of mutant.edits) {
      const path = join(this.#folder, file);
      const text = readFileSync(path, "utf8");
      if (text.split(find).length !== 2) throw new Error(`${mutant.name}: ${file} must hold exactly once: ${find}`);
      writeFileSync(
        path,
        text.replace(find, () => replace),
      );
    }
  }

  get folder(): string {
    return this.#folder;
  }

  /** Runs one schedule in a process of its own, and says which rule it breaks; null breaks none. */
  simulate(seed: number): Promise<string | null> {
    const what = "src/testing/simulation/simulate.ts";
    return this.evaluate(what, `({ simulate }) => simulate(${seed}).violation?.rule ?? null`);
  }

  /** Gives a file's exports to a function in a process of its own. What comes of it is `Value`, as JSON can say it. */
  async evaluate<Value>(file: string, use: string): Promise<Value> {
    const [value] = await MutatedHouse.evaluateEach<Value>([this], file, use);
    return value as Value;
  }

  /** The same in each of these houses, one after the other, in one process for all. */
  static async evaluateEach<Value>(houses: readonly MutatedHouse[], file: string, use: string): Promise<Value[]> {
    const sources = houses.map((house) => pathToFileURL(join(house.#folder, file)).href);
    const program = `const found = [];
      for (const source of ${JSON.stringify(sources)}) found.push(await (${use})(await import(source)));
      process.stdout.write(JSON.stringify(found));`;
    const { out, problem } = await runNode(["--conditions=troupe-source", "--input-type=module", "--eval", program]);
    if (out === "") throw new Error(`${file} did not run: ${problem}`);
    return JSON.parse(out) as Value[];
  }

  /** Runs the command of the simulator as it is here: `npm run test:simulation -- ...argv`. */
  async command(argv: readonly string[]): Promise<NodeRun> {
    return await runNode([join(this.#folder, "src/testing/simulation/main.ts"), ...argv]);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
