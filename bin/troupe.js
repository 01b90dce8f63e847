#!/usr/bin/env node
// Plain JavaScript that old versions of Node.js can read: the version is checked before anything is loaded.

/** What a user's module leaves behind may hold the process this long after the command is done. */
const lingerMs = 1_000;
/** The oldest major version of Node.js that Troupe runs on; package.json says the same in `engines`. */
const nodeMajorMin = 24;

/**
 * Says why the command cannot start, as the command itself would: one JSON document with --json, else a sentence.
 * @param {string} message
 * @param {Record<string, string | number>} data
 */
function refuse(message, data) {
  const failure = { code: "usage/broken-install", message, data };
  if (process.argv.includes("--json")) process.stdout.write(JSON.stringify({ ok: false, failure }) + "\n");
  else process.stderr.write("troupe: " + message + "\n");
  process.exitCode = 2;
}

async function start() {
  const { existsSync } = await import("node:fs");
  const entry = new URL("../dist/src/cli/main.js", import.meta.url);
  if (!existsSync(entry)) {
    refuse("dist/ is missing, so there is nothing to run yet; build it with `npm run build`.", {
      missing: "dist/src/cli/main.js",
    });
    return;
  }
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
  // The command is done; a timer or socket that a user's module left behind must not hold the shell for long.
  setTimeout(() => process.exit(), lingerMs).unref();
}

const major = Number(process.versions.node.split(".")[0]);
if (major < nodeMajorMin) {
  refuse(
    "Troupe needs Node.js " +
      nodeMajorMin +
      " or newer, and this is " +
      process.versions.node +
      "; in your project run `npm i -D node@" +
      nodeMajorMin +
      "`, then `npx troupe`.",
    { found: process.versions.node, needed: ">=" + nodeMajorMin },
  );
} else {
  void start();
}
