import { parseArgs } from "node:util";
import { hasPeers, installPeers } from "./install-peers.ts";
import { rowsTable, targetsTable, toText } from "./report/format.ts";
import { writeResults } from "./report/results-file.ts";
import type { Report } from "./suite.ts";
import { suites } from "./suites.ts";

const usage = `usage: npm run bench -- <suite> [--quick] [--json]
suites: ${Object.keys(suites).join(", ")}`;

function refuse(message: string): never {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

function readArguments(): { name: string; quick: boolean; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
    });
    const [name, extra] = positionals;
    if (name === undefined) refuse("name a suite");
    if (extra !== undefined) refuse(`one suite at a time; "${extra}" is one too many`);
    return { name, ...values };
  } catch (error) {
    if (error instanceof TypeError) refuse(error.message);
    throw error;
  }
}

/** Installs absent peers. Without them their arms say so, and the rest is measured all the same. */
async function preparePeers(name: string): Promise<void> {
  if (hasPeers(name)) return;
  console.error(`installing the peers of ${name}`);
  try {
    await installPeers(name);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
  }
}

const { name, quick, json } = readArguments();
const load = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (load === undefined) refuse(`there is no suite "${name}"`);
const suite = await load();
if (suite.hasPeers) await preparePeers(name);
const report: Report = await suite.run({ quick, progress: (line) => console.error(line) });
if (json) console.log(JSON.stringify(report));
else console.log(`${toText(rowsTable(report))}\n\n${toText(targetsTable(report))}`);
if (!quick) writeResults(suite, report);
