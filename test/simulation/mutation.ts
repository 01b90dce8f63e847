import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rootFolder } from "../house/source-files.ts";
import type { Mutant } from "./mutants.ts";

/** What the simulator needs of the house. */
const parts = ["package.json", "machines/consensus", "src/testing", "src/ports"];

/** A copy of the simulator in a temporary folder, in which code can be changed. */
export class MutatedHouse implements Disposable {
  readonly #folder: string;

  constructor(mutant: Pick<Mutant, "name" | "edits">) {
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

  /** Runs one schedule in a process of its own, and says which rule it breaks; null breaks none. */
  async simulate(seed: number): Promise<string | null> {
    const source = pathToFileURL(join(this.#folder, "src/testing/simulation/simulate.ts")).href;
    const program = `import { simulate } from ${JSON.stringify(source)};
      process.stdout.write(JSON.stringify(simulate(${seed}).violation?.rule ?? null));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, problem] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (problem += chunk.toString()));
    await new Promise((resolve) => child.once("close", resolve));
    if (out === "") throw new Error(`the simulator did not run: ${problem}`);
    return JSON.parse(out) as string | null;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
