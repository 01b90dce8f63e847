// Adds up the JSON reports of vitest. Runs on the system's Node.js, whatever its version.
// Arguments: how many parts of the run ended badly, then the report files.
import { readFileSync } from "node:fs";

const [broken, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.log(`no report (${error.message}): this part did not reach its tests`);
    failed += 1;
    continue;
  }
  // A file that fails to load has no tests of its own to count.
  const unloaded = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  passed += report.numPassedTests;
  failed += report.numFailedTests + unloaded.length;
  if (report.numPassedTests + report.numFailedTests === 0) {
    console.log("a part of the run had no tests");
    failed += 1;
  }
}
// A part may end badly although its tests passed: lint, types, an unhandled error, the time limit.
if (Number(broken) > 0 && failed === 0) failed = Number(broken);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
