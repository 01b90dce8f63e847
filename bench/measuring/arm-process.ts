import { writeSync } from "node:fs";
import { armTables } from "../suites.ts";
import type { Scale } from "./arm.ts";
import { resultMark } from "./rounds.ts";

const [, , suite = "", name = "", scaleJson = "{}"] = process.argv;
const table = await armTables[suite]?.();
const entry = table?.[name];
if (entry === undefined) throw new Error(`suite "${suite}" has no arm "${name}"`);
const arm = await entry.load();
const readings = await arm(JSON.parse(scaleJson) as Scale);
writeSync(1, `\n${resultMark}${JSON.stringify(readings)}\n`);
// Live agents would hold the process: they are what was measured.
process.exit(0);
